"""Arguments of the commands, checked before anything slow is imported."""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, NoReturn

from realign_core import __version__
from realign_core.samples import sample_path
from realign_core.validation import UnusableInput

SETS = """TARGET and SOURCE are files or folders of embeddings, a row per sample: .npy, .npz (file.npz:key),
.pt, .safetensors, .parquet, .arrow, .csv, .tsv, .pkl, a folder of shards of one of these, or a clip-retrieval
folder. SOURCE may be left out where one file or folder holds both sets. sample:NAME is a bundled sample."""

SHRINKAGE = "blockwise: shrinkage of each covariance: oas picks it (default), none, or a share in 0..1"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Argument errors answer in one line, like every other unusable input."""
        raise UnusableInput(f"{message}; see {self.prog} --help")


def build_parser() -> argparse.ArgumentParser:
    """The parser; each command's namespace holds `run`, the function that does the work."""
    parser = _Parser(
        prog="realign",
        allow_abbrev=False,
        description="Measure the modality gap between two sets of embeddings.",
    )
    parser.add_argument("--version", action="version", version=f"gapscope {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _analyze(commands)
    _align(commands)
    _inspect(commands)
    _encode(commands)
    _train(commands)
    _app(commands)
    return parser


def _command(commands: Any, name: str, summary: str, epilog: str | None = None) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=summary, description=summary, epilog=epilog, allow_abbrev=False)

    def run(options: argparse.Namespace) -> None:
        import_module(f"realign_core.cli.{name}").run(options)

    command.set_defaults(run=run)
    return command


def _analyze(commands: Any) -> None:
    command = _command(commands, "analyze", "Measure the gap and compare the alignment methods.", SETS)
    command.add_argument("target", metavar="TARGET", type=rows_path, help="image embeddings, or both sets")
    command.add_argument("source", metavar="SOURCE", type=rows_path, nargs="?", help="text embeddings")
    _data_options(command)
    command.add_argument("--max-rows", type=int, metavar="N", help="read a seeded sample of at most N rows")
    command.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    command.add_argument("--energy", type=float, default=0.99, metavar="E", help="share of energy held by U")
    command.add_argument(
        "--methods",
        type=_names,
        metavar="a,b",
        help="methods to compare (default: all that need no training)",
    )
    command.add_argument("--k", type=int, default=10, metavar="K", help="neighbours of the retention score")
    command.add_argument("--split", type=float, default=0.5, metavar="S", help="share of rows fitted on")
    command.add_argument("--c3-sigma", type=float, metavar="S", help="C3's noise per coordinate")
    command.add_argument("--blockwise-shrinkage", metavar="oas|none|S", help=SHRINKAGE)
    command.add_argument("--bootstrap", type=int, default=200, metavar="B", help="resamples of an interval")
    command.add_argument(
        "--score-rows",
        type=int,
        default=10_000,
        metavar="N",
        help="judge methods on at most N seeded rows of each set (moments always use every row)",
    )
    command.add_argument(
        "--queries",
        type=int,
        default=0,
        metavar="N",
        help="of sets above --score-rows: look N seeded source rows up among all rows (0: none)",
    )
    command.add_argument("--json", metavar="FILE|-", help="write every figure as JSON; - for standard output")
    command.add_argument("--html", metavar="FILE", help="write a self-contained report")
    command.add_argument("--csv", metavar="FILE", help="write the table of methods")
    _checkpoint(command)
    _engine_options(command)


def _align(commands: Any) -> None:
    command = _command(
        commands,
        "align",
        "Map SOURCE into the distribution of TARGET and write the mapped rows.",
        SETS + " With --load-aligner TARGET may be left out.",
    )
    command.add_argument("target", metavar="TARGET", type=rows_path, help="image embeddings, or both sets")
    command.add_argument("source", metavar="SOURCE", type=rows_path, nargs="?", help="text embeddings to map")
    _data_options(command)
    command.add_argument("--method", default=None, metavar="NAME", help="alignment method (default: realign)")
    command.add_argument(
        "--max-rows", type=int, metavar="N", help="fit on a seeded sample of at most N rows (all are mapped)"
    )
    command.add_argument("--c3-sigma", type=float, metavar="S", help="c3: noise per coordinate")
    command.add_argument(
        "--energy", type=float, metavar="E", help="blockwise: share of energy held by U (0.99)"
    )
    command.add_argument("--blockwise-shrinkage", metavar="oas|none|S", help=SHRINKAGE)
    command.add_argument(
        "--out",
        metavar="FILE|DIR",
        required=True,
        help="a .npy, .npz, .safetensors, .parquet or .pkl file, or a folder of shards (DIR/), which the "
        "same command goes on writing where it was interrupted",
    )
    command.add_argument(
        "--shard-rows", type=int, metavar="N", help="rows of a shard (as SOURCE is cut, else 100000)"
    )
    command.add_argument(
        "--shard-format", default="npy", metavar="F", help="npy, npz, safetensors or parquet"
    )
    _checkpoint(command)
    command.add_argument("--save-aligner", metavar="DIR", help="also write the fitted method")
    command.add_argument("--load-aligner", metavar="DIR", help="map with a method fitted before")
    _engine_options(command)


def _inspect(commands: Any) -> None:
    command = _command(commands, "inspect", "Say what a file or folder of embeddings holds; writes nothing.")
    command.add_argument("file", metavar="FILE", type=rows_path)


def _encode(commands: Any) -> None:
    command = _command(
        commands,
        "encode",
        "Embed images and captions with an open_clip model.",
        "The captions of a table (.csv, .tsv, .parquet) stand in a column caption; a column image_path or "
        "filename joins them to images by name, a column label travels along. A .txt file has a caption a "
        "line. Without names the i-th caption belongs to the i-th image. Images or captions alone will do.",
    )
    command.add_argument("--images", nargs="+", metavar="FOLDER|ZIP|FILE", help="images, in natural order")
    command.add_argument("--captions", metavar="FILE", help="captions: .csv, .tsv, .txt or .parquet")
    command.add_argument(
        "--out",
        required=True,
        metavar="OUT",
        help="a folder, in clip-retrieval's layout, or a .parquet, .npz or .safetensors file",
    )
    command.add_argument(
        "--model",
        default="bundled",
        metavar="M",
        help="bundled (default), local-dir:FOLDER, ARCH with --weights, ARCH/TAG or hf-hub:OWNER/NAME",
    )
    command.add_argument(
        "--weights", metavar="FILE", help="checkpoint of the architecture that --model names"
    )
    command.add_argument(
        "--batch", type=int, default=64, metavar="N", help="images or captions at a time (64)"
    )
    command.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    command.add_argument("--fp16", action="store_true", help="store float16, as clip-retrieval does")
    command.add_argument(
        "--shard-rows", type=int, default=10_000, metavar="N", help="rows of a shard (10000)"
    )
    command.add_argument("--resume", action="store_true", help="go on behind the finished shards of OUT")


def _train(commands: Any) -> None:
    command = _command(
        commands,
        "train",
        "Train a small CLIP on drawn scenes and keep snapshots of held-out pairs.",
        "FOLDER takes step_000100.npz and so on, record.json, checkpoint.pt, and model/ for open_clip.",
    )
    command.add_argument("--out", metavar="FOLDER", required=True, help="a new or empty folder")
    command.add_argument("--steps", type=int, metavar="N", help="optimiser steps (3000)")
    command.add_argument("--batch", type=int, metavar="N", help="pairs in a step (128)")
    command.add_argument("--every", type=int, metavar="N", help="steps between snapshots (100)")
    command.add_argument("--probe", type=int, metavar="N", help="held-out pairs in a snapshot (2000)")
    command.add_argument("--pool", type=int, metavar="N", help="training scenes kept in memory (40000)")
    command.add_argument("--seed", type=int, metavar="N", help="of scenes, captions, weights and order (0)")
    command.add_argument("--learning-rate", type=float, metavar="R", help="its highest value (0.001)")
    command.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    command.add_argument(
        "--resume", action="store_true", help="go on with the run in FOLDER, with its own settings"
    )


def _app(commands: Any) -> None:
    command = _command(commands, "app", "Start the dashboard in the browser.")
    command.add_argument("--data", metavar="ROOT", help="folder from which server paths may be read")
    command.add_argument("--port", type=int, default=8501, metavar="P")
    command.add_argument("--no-browser", action="store_true", help="do not open a browser window")


def _checkpoint(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--checkpoint",
        metavar="DIR",
        help="keep what passes over the rows have gathered; the same command goes on from there",
    )


def _engine_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="who reads the rows: this process (default), or the workers of a Ray cluster",
    )
    command.add_argument(
        "--ray-address",
        metavar="A",
        help="the cluster that --engine ray joins (default: RAY_ADDRESS, else one is started here)",
    )


def _data_options(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--paired", choices=("auto", "yes", "no"), default="auto", help="whether row i pairs with row i"
    )
    command.add_argument("--no-normalize", action="store_true", help="use rows as they are, off the sphere")
    command.add_argument("--seed", type=int, default=0, metavar="N")
    command.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE",
        help="import a Python module that registers methods of your own",
    )


def rows_path(text: str) -> str:
    """A path as given, or that of the sample which `sample:NAME` names."""
    try:
        return sample_path(text)
    except UnusableInput as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
