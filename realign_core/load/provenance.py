"""Where embeddings come from, as it travels with them: a JSON object among a file's metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

METADATA_KEY = "gapscope_provenance"
LARGEST = 1 << 20
LONGEST_NAME = 120


def parsed(text: Any) -> dict[str, Any] | None:
    """The object that a file's metadata hold; None where there is none that can be read."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str) or len(text) > LARGEST:
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def provenance_notes(target: Mapping[str, Any] | None, source: Mapping[str, Any] | None) -> Iterator[str]:
    """What the files say of the models that made the two sets."""
    if target is not None and target == source:
        yield f"Both sets were encoded by {described(target)}."
        return
    for role, found in (("target", target), ("source", source)):
        if found is not None:
            yield f"The {role} was encoded by {described(found)}."
    if target is not None and source is not None and _weights(target) != _weights(source):
        yield "Target and source come from different weights, so that they need not share a space."


def described(provenance: Mapping[str, Any]) -> str:
    """Model, weights, preprocessing and precision in words; what is missing is left out."""
    parts = [_short(provenance.get("model")) or "an unnamed model"]
    weights = _weights(provenance)
    if weights:
        parts.append(f"weights sha256 {weights[:12]}")
    cut = provenance.get("preprocessing")
    if isinstance(cut, dict):
        size = cut.get("size")
        sides = size if isinstance(size, list) else [size, size]
        parts.append(f"{' x '.join(_short(side) for side in sides)} pixels")
        parts.append(
            f"{_short(cut.get('interpolation'))} resize to the {_short(cut.get('resize_mode'))} side"
        )
    if provenance.get("precision"):
        parts.append(_short(provenance["precision"]))
    versions = provenance.get("versions")
    if isinstance(versions, dict):
        parts += [f"{_short(name)} {_short(version)}" for name, version in list(versions.items())[:4]]
    return ", ".join(parts)


def _weights(provenance: Mapping[str, Any]) -> str:
    weights = provenance.get("weights")
    return _short(weights.get("sha256")) if isinstance(weights, dict) else ""


def _short(value: Any) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= LONGEST_NAME else text[: LONGEST_NAME - 3] + "..."
