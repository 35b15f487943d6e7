"""Regenerate the bundled samples: `python -m realign_core.samples.make --run FOLDER`.

FOLDER is what `python -m realign_core train --out FOLDER` has left. Scenes that the model was not trained on
are drawn and described anew, and embedded with the weights that are shipped, so that whoever encodes the
same pictures with the bundled model gets the same rows.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realign_core.load.atomic import atomic_text
from realign_core.samples import HOME
from realign_core.samples.making.card import make_card, model_part
from realign_core.samples.making.dynamics import ship_training
from realign_core.samples.making.model import ship_model
from realign_core.samples.making.sets import (
    PairSet,
    scenes_short_and_long,
    several_captions,
    two_renderings,
)
from realign_core.samples.making.table import write_table
from realign_core.training.settings import ModelSize
from realign_core.training.snapshots import read_record
from realign_core.validation import UnusableInput

MODEL_FOLDER = "model"


@dataclass(frozen=True)
class Sizes:
    """Rows of the samples, and how much is shipped of the training."""

    scenes: int = 3000
    images: int = 500
    captions_each: int = 5
    renderings: int = 1000
    snapshots: int = 12
    probe_rows: int = 800


ABOUT: dict[str, dict[str, Any]] = {
    "scenes": {
        "title": "Scenes and short captions",
        "about": "Drawn scenes and what they show, as a small CLIP of our own embeds them. It was trained on "
        "other scenes.",
        "source": "short captions",
        "targets": "scenes",
        "pictures": "scenes",
    },
    "scenes-long": {
        "title": "The same scenes, long captions",
        "about": "The same pictures, with remarks in their captions that no picture can show.",
        "source": "long captions",
        "targets": "scenes",
        "pictures": "scenes",
    },
    "several-captions": {
        "title": "Several captions to a picture",
        "about": "Each picture has several captions in other words: pairs that are not independent.",
        "source": "short captions",
        "targets": "several-captions",
        "pictures": "several-captions",
    },
    "no-gap": {
        "title": "Control: two drawings of each scene",
        "about": "Both sides are pictures of the same scenes, with other tints, turns and shifts: one "
        "modality, so there should be no gap.",
        "source": "other drawings",
        "targets": "no-gap",
        "pictures": "no-gap",
    },
}


def make(
    run: str | Path,
    out: str | Path = HOME,
    sizes: Sizes = Sizes(),
    say: Callable[[str], None] = lambda line: None,
) -> None:
    """Write `data/`, `model/` and `training/` under `out` from the training run in `run`.

    The scenes come from seeds beside the run's own, so that they are not those of its probe set.
    """
    run, out = Path(run), Path(out)
    record = read_record(run)
    if not record or not (run / MODEL_FOLDER).is_dir():
        raise UnusableInput(
            f"{run} is no training run: it lacks record.json or {MODEL_FOLDER}/; name what "
            "`python -m realign_core train` wrote"
        )
    settings = record["settings"]
    say("model")
    size = ModelSize(**settings["model"])
    encoder, weights = ship_model(run / MODEL_FOLDER, out / "model", size, settings["seed"])
    say("training snapshots")
    ship_training(run, out / "training", count=sizes.snapshots, rows=sizes.probe_rows)
    data = out / "data"
    data.mkdir(parents=True, exist_ok=True)
    for path in data.iterdir():
        if path.suffix in (".parquet", ".json") and path.stem not in ABOUT:
            path.unlink()
    model = model_part(record, weights)

    def write(name: str, pairs: PairSet, seed: int) -> None:
        say(name)
        write_table(pairs, data / f"{name}.parquet")
        card = make_card(data / f"{name}.parquet", ABOUT[name], seed, model)
        atomic_text(data / f"{name}.json", json.dumps(card, indent=1) + "\n")

    seed = settings["seed"] + 1
    say("scenes to describe")
    short, long = scenes_short_and_long(encoder, sizes.scenes, seed)
    write("scenes", short, seed)
    write("scenes-long", long, seed)
    several = several_captions(encoder, sizes.images, sizes.captions_each, seed + 1)
    write("several-captions", several, seed + 1)
    write("no-gap", two_renderings(encoder, sizes.renderings, seed + 2), seed + 2)


def main(words: Sequence[str] | None = None) -> int:
    """Read the options and make the samples."""
    parser = argparse.ArgumentParser(prog="python -m realign_core.samples.make", description=__doc__)
    parser.add_argument("--run", required=True, metavar="FOLDER", help="a finished training run")
    parser.add_argument("--out", default=HOME, metavar="FOLDER", help="where to write (the package itself)")
    options = parser.parse_args(words)
    try:
        make(options.run, options.out, say=print)
    except UnusableInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
