"""Which model is meant, checked against the disk before torch or open_clip are imported."""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from realign_core.load.faults import reading
from realign_core.samples import FOLDER as SAMPLES
from realign_core.validation import UnusableInput

BUNDLED = "bundled"
BUNDLED_FOLDER = SAMPLES.parent / "model"
LOCAL, HUB = "local-dir:", "hf-hub:"
CONFIG = "open_clip_config.json"
# open_clip's own order of preference in a folder.
WEIGHTS = (
    "open_clip_model.safetensors",
    "open_clip_pytorch_model.safetensors",
    "open_clip_pytorch_model.bin",
    "open_clip_pytorch_model.pth",
    "model.safetensors",
    "pytorch_model.bin",
    "pytorch_model.pth",
    "model.pth",
)
SUFFIXES = (".safetensors", ".pt", ".pth", ".bin")
LARGEST_CONFIG = 1 << 20


@dataclass(frozen=True)
class ModelChoice:
    """`name` as given; `kind` says where configuration and weights come from.

    `folder`: a folder with `open_clip_config.json` and weights; `file`: `architecture` with a `weights` file;
    `tag`: `architecture` with a pretrained `tag`; `hub`: the repository `tag` of the Hugging Face hub.
    """

    name: str
    kind: Literal["folder", "file", "tag", "hub"]
    folder: Path | None = None
    weights: Path | None = None
    architecture: str | None = None
    tag: str | None = None


def choose_model(name: str = BUNDLED, weights: str | os.PathLike | None = None) -> ModelChoice:
    """The model that is named: bundled, local-dir:FOLDER, hf-hub:OWNER/NAME, ARCH/TAG, or ARCH with weights.

    Raises UnusableInput for a folder, file or architecture that is not there or not whole.
    """
    if not name.strip():
        raise UnusableInput(
            "the model has no name; give bundled, local-dir:FOLDER, or an architecture of open_clip"
        )
    if weights is not None:
        if name == BUNDLED or name.startswith((LOCAL, HUB)) or "/" in name:
            raise UnusableInput(
                f"weights go with an architecture, and the model is {name!r}; name one such as ViT-B-32"
            )
        return ModelChoice(name, "file", weights=_weights_file(weights), architecture=_architecture(name))
    if name == BUNDLED:
        if not BUNDLED_FOLDER.is_dir():
            raise UnusableInput(
                "this installation has no bundled model (samples/model is not there); name one with "
                "--model local-dir:FOLDER"
            )
        return _folder(name, BUNDLED_FOLDER)
    if name.startswith(LOCAL):
        return _folder(name, Path(name.removeprefix(LOCAL)))
    if name.startswith(HUB):
        repository = name.removeprefix(HUB)
        if repository.count("/") != 1 or not all(repository.split("/")):
            raise UnusableInput(f"{name} names no repository; write hf-hub:OWNER/NAME")
        return ModelChoice(name, "hub", tag=repository)
    architecture, slash, tag = name.partition("/")
    if slash and tag:
        return ModelChoice(name, "tag", architecture=_architecture(architecture), tag=tag)
    if os.path.isdir(name):
        raise UnusableInput(f"{name} is a folder; write local-dir:{name}")
    _architecture(name)
    raise UnusableInput(
        f"{name} is an architecture without weights; add --weights FILE, or name {name}/PRETRAINED-TAG"
    )


def _folder(name: str, folder: Path) -> ModelChoice:
    # The functions of os.path also say no to names that are too long, where those of Path raise.
    if name == LOCAL or not os.path.isdir(folder):
        raise UnusableInput(
            f"{name} names no folder; give one that holds {CONFIG} and open_clip_model.safetensors"
        )
    read_config(folder)
    found = [folder / entry for entry in WEIGHTS if (folder / entry).is_file()]
    if not found:
        others = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES[:1] + SUFFIXES[2:])
        if len(others) > 1:
            names = ", ".join(path.name for path in others[:4])
            raise UnusableInput(f"{folder} holds several weights ({names}); name the right one {WEIGHTS[0]}")
        found = others
    if not found:
        raise UnusableInput(f"{folder} holds no weights; put {WEIGHTS[0]} beside {CONFIG}")
    return ModelChoice(name, "folder", folder=folder, weights=_weights_file(found[0]))


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's `open_clip_config.json`; UnusableInput where it is missing or not open_clip's."""
    path = folder / CONFIG
    if not path.is_file():
        raise UnusableInput(
            f"{folder} has no {CONFIG}, which says architecture and preprocessing; save the model with it"
        )
    try:
        if path.stat().st_size > LARGEST_CONFIG:
            raise ValueError("it is over 1 MB")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UnusableInput(f"{path} cannot be read: {error}; save the model again") from error
    model = config.get("model_cfg") if isinstance(config, dict) else None
    if not isinstance(model, dict) or not {"embed_dim", "vision_cfg", "text_cfg"} <= model.keys():
        raise UnusableInput(f"{path} has no model_cfg with embed_dim, vision_cfg and text_cfg")
    _check_preprocessing(config.get("preprocess_cfg"), path)
    return config


def _check_preprocessing(found: Any, path: Path) -> None:
    """Raise UnusableInput where mean or std leave no picture: no number, not finite, or a std of 0."""
    if not isinstance(found, dict | None):
        raise UnusableInput(f"{path} has a preprocess_cfg that is no table of settings; save the model again")
    for name in ("mean", "std"):
        values = (found or {}).get(name)
        for value in values if isinstance(values, list) else [] if values is None else [values]:
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not abs(value) < math.inf or (name == "std" and value == 0):
                raise UnusableInput(
                    f"{path} gives {value!r} in the {name} of preprocess_cfg; write the one that the model "
                    "was trained with"
                )


def _weights_file(path: str | os.PathLike) -> Path:
    file = Path(path)
    if not os.path.isfile(file):
        raise UnusableInput(f"{file} does not exist; name the file with the weights")
    if file.suffix.lower() not in SUFFIXES:
        raise UnusableInput(f"{file} has the suffix {file.suffix!r}; weights are {', '.join(SUFFIXES)}")
    with reading(os.fspath(file)), file.open("rb") as opened:
        head = opened.read(32)
    if not head:
        raise UnusableInput(f"{file} is empty; fetch the weights again")
    if head.startswith(b"version https://git-lfs"):
        raise UnusableInput(f"{file} is a Git LFS pointer; fetch the real file with git lfs pull")
    return file


def _architecture(name: str) -> str:
    """The name, if open_clip has a configuration by it; the files are looked at, not imported."""
    spec = find_spec("open_clip")
    if spec is None or not spec.submodule_search_locations:
        raise UnusableInput("open_clip is not installed; install open_clip_torch to encode")
    known = {
        path.stem for path in (Path(spec.submodule_search_locations[0]) / "model_configs").glob("*.json")
    }
    if name not in known:
        near = sorted(known, key=lambda other: (other.lower() != name.lower(), other))[:1]
        hint = near[0] if near and near[0].lower() == name.lower() else "ViT-B-32"
        raise UnusableInput(
            f"there is no model {name!r}; give bundled, local-dir:FOLDER, or an architecture of open_clip "
            f"such as {hint}"
        )
    return name
