"""A chosen model, loaded: its towers, preprocessing and tokenizer, and the record of what they are."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from realign_core.checkpoint import checkpoint
from realign_core.encode import hub
from realign_core.encode.choice import ModelChoice
from realign_core.encode.skipped import readable
from realign_core.load.faults import first_line
from realign_core.validation import UnusableInput

DEFAULTS_NOTE = (
    "a bare weights file carries neither preprocessing nor activation: both are the defaults of {} in "
    "open_clip; if the weights were trained otherwise, the embeddings are wrong"
)


@dataclass(frozen=True, eq=False)
class Encoder:
    """`preprocess` takes an RGB image to a tensor `(3, height, width)`; `tokenize` texts to `(n, length)`.

    `tokenize` is None where no captions were asked for. `provenance` holds plain values for JSON; `notes` are
    sentences that whoever uses the embeddings should know.
    """

    model: Any
    preprocess: Callable[[Any], Any]
    tokenize: Callable[..., Any] | None
    device: Any
    provenance: dict[str, Any]
    notes: tuple[str, ...] = ()

    def encode_images(self, images: Sequence[Any]) -> np.ndarray:
        """Unit rows `(n, d)`, float32, of preprocessed images."""
        import torch

        batch = torch.stack(list(images)).to(self.device)
        return self._rows(lambda: self.model.encode_image(batch))

    def encode_tokens(self, tokens: Any) -> np.ndarray:
        """Unit rows `(n, d)`, float32, of tokenized captions."""
        tokens = tokens.to(self.device)
        return self._rows(lambda: self.model.encode_text(tokens))

    def tokens(self, texts: Sequence[str]) -> tuple[Any, int]:
        """Tokens `(n, length)`, and how many texts are longer than that and were cut."""
        assert self.tokenize is not None, "the encoder was loaded without its tokenizer"
        tokens = self.tokenize(list(texts))
        full = [index for index in range(len(texts)) if tokens[index, -1] != 0]
        if not full or not hasattr(self.tokenize, "eot_token_id"):
            return tokens, 0
        longer = self.tokenize([texts[index] for index in full], context_length=tokens.shape[1] + 1)
        return tokens, int((longer[:, -1] != 0).sum())

    def _rows(self, encode: Callable[[], Any]) -> np.ndarray:
        import torch

        cuda = self.device.type == "cuda"
        mixed = torch.autocast("cuda", torch.float16) if cuda else nullcontext()
        with torch.inference_mode(), mixed:
            rows = encode().float()
            lengths = rows.norm(dim=-1)
        # Division by a length that is not finite or 0 would leave rows that look like any others in a file.
        for bad, what in ((~lengths.isfinite(), "not finite"), (lengths == 0, "of length 0")):
            if bad.any():
                raise UnusableInput(
                    f"the model {self.provenance['model']} gives rows that are {what}; its weights are "
                    "damaged, so fetch or save them again"
                )
        return torch.nn.functional.normalize(rows, dim=-1).cpu().numpy()


def load_encoder(choice: ModelChoice, *, device: str = "auto", texts: bool = True) -> Encoder:
    """Load a model for encoding on `device` (auto, cpu, cuda or mps).

    Raises UnusableInput for weights that are damaged or do not fit, and for a hub that is out of reach.
    """
    _check_tag(choice)
    reached = choice.kind not in ("hub", "tag") or hub.check_hub(choice)
    from realign_core.moments import resolve_device

    where = resolve_device(device)
    import open_clip

    weights = choice.weights
    with _quiet(), hub.offline(choice.kind in ("folder", "file") or not reached), _loading(choice, reached):
        if weights is None:
            weights = _fetched(choice)
        _check_plain(weights)
        model, preprocess = open_clip.create_model_from_pretrained(**_arguments(choice), device=where)
        tokenize = open_clip.get_tokenizer(_tokenizer_name(choice)) if texts else None
    model.eval()
    notes = (DEFAULTS_NOTE.format(choice.architecture),) if choice.kind == "file" else ()
    return Encoder(model, preprocess, tokenize, where, _provenance(choice, weights, model, where), notes)


def _arguments(choice: ModelChoice) -> dict[str, Any]:
    if choice.kind == "folder":
        return {"model_name": f"local-dir:{choice.folder}"}
    if choice.kind == "hub":
        return {"model_name": f"hf-hub:{choice.tag}"}
    pretrained = str(choice.weights.resolve()) if choice.weights else choice.tag
    return {"model_name": choice.architecture, "pretrained": pretrained}


def _tokenizer_name(choice: ModelChoice) -> str:
    return _arguments(choice)["model_name"]


def _fetched(choice: ModelChoice) -> Path:
    """The weights of a hub repository or a pretrained tag, fetched or from the copies kept here."""
    from open_clip import pretrained

    if choice.kind == "hub":
        return Path(pretrained.download_pretrained_from_hf(choice.tag))
    return Path(
        pretrained.download_pretrained(pretrained.get_pretrained_cfg(choice.architecture, choice.tag))
    )


def _check_tag(choice: ModelChoice) -> None:
    """Refuse a pretrained tag that open_clip does not know, before anything is asked of the hub."""
    if choice.kind != "tag":
        return
    from open_clip import pretrained

    known = pretrained.list_pretrained_tags_by_model(choice.architecture)
    if choice.tag not in known:
        there = ", ".join(known) if known else "none"
        raise UnusableInput(f"{choice.architecture} has no pretrained tag {choice.tag!r}; it has: {there}")


def _check_plain(weights: Path) -> None:
    """Refuse anything but tensors: open_clip falls back to a full unpickling in one corner."""
    if weights.suffix.lower() == ".safetensors":
        return
    import torch

    try:
        torch.load(weights, map_location="meta", weights_only=True)
    except Exception as error:
        raise UnusableInput(
            f"{weights} is not a plain checkpoint of tensors ({first_line(error)}); save its state_dict, or "
            "write .safetensors"
        ) from error


@contextmanager
def _loading(choice: ModelChoice, reached: bool) -> Iterator[None]:
    """Whatever open_clip raises about a model, in one sentence."""
    try:
        yield
    except UnusableInput:
        raise
    except MemoryError:
        raise
    except Exception as error:
        if not reached:
            raise hub.no_access(choice) from error
        raise UnusableInput(f"the model {choice.name} cannot be loaded: {first_line(error)}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip speaks through the root logger."""
    before = logging.root.level
    logging.root.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logging.root.setLevel(before)


def _provenance(choice: ModelChoice, weights: Path, model: Any, device: Any) -> dict[str, Any]:
    import open_clip
    import torch

    from realign_core import __version__

    source = {
        "folder": "open_clip_config.json beside the weights",
        "file": f"defaults of {choice.architecture} in open_clip",
        "tag": "the pretrained tag in open_clip",
        "hub": "the repository's open_clip_config.json",
    }
    return {
        "tool": {"name": "gapscope", "version": __version__},
        "model": _shown_name(choice),
        "weights": {"file": readable(weights.name), "sha256": digest(weights)},
        "preprocessing": _plain(dict(model.visual.preprocess_cfg)),
        "preprocessing_from": source[choice.kind],
        "activation": _activation(model),
        "precision": "autocast float16" if device.type == "cuda" else "float32",
        "device": device.type,
        "transparency": "over white",
        "versions": {"open_clip": open_clip.__version__, "torch": torch.__version__},
    }


def _shown_name(choice: ModelChoice) -> str:
    """Without the path, which says where a file lay on somebody's machine and nothing about the model."""
    if choice.folder is not None and choice.name.startswith("local-dir:"):
        return readable(f"local-dir:{choice.folder.resolve().name}")
    return readable(choice.name)


def _activation(model: Any) -> str:
    names = {type(module).__name__ for module in model.modules()} & {"QuickGELU", "GELU"}
    return " and ".join(sorted(names)) or "unknown"


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            checkpoint()
            found.update(block)
    return found.hexdigest()
