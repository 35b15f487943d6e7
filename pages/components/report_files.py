"""The files that the Report page gives out, as bytes; nothing here draws."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from pages.components.study import Study
from realign_core import alignment
from realign_core.alignment.output import write_mapped
from realign_core.comparison import Settings
from realign_core.comparison.texts import csv_text, json_text
from realign_core.load.writing import WRITERS
from realign_core.report import report_html

FORMATS = tuple(WRITERS)
PREFIX = "gapscope-download-"


def html(study: Study, settings: Settings) -> bytes:
    """The self-contained report."""
    return report_html(study.comparison(settings)).encode()


def metrics_json(study: Study, settings: Settings) -> bytes:
    """What `analyze --json` writes on the same rows and settings."""
    return json_text(study.comparison(settings)).encode()


def metrics_csv(study: Study, settings: Settings) -> bytes:
    """What `analyze --csv` writes."""
    return csv_text(study.comparison(settings)).encode()


def fitted(study: Study, settings: Settings, name: str) -> Any:
    """A method fitted on all rows of the study."""
    pair = study.pair
    method = alignment.create(name, normalize=pair.normalize, seed=settings.seed, **settings.options_of(name))
    return method.fit(source=pair.source, target=pair.target)


def aligned(study: Study, settings: Settings, name: str, suffix: str) -> bytes:
    """All source rows after the method, in the format of `suffix`; built block by block in a file."""
    pair = study.pair
    method = fitted(study, settings, name)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        path = Path(folder) / f"aligned{suffix}"
        # Ids follow the target's rows, which are the source's only where the sets are pairs.
        write_mapped(path, method, pair.source, pair.ids if pair.paired else None)
        return path.read_bytes()


def aligner(study: Study, settings: Settings, name: str) -> bytes:
    """The folder of the fitted method as a zip, which `load_aligner` reads once it is unpacked."""
    method = fitted(study, settings, name)
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        saved, packed = Path(folder) / name, Path(folder) / "aligner.zip"
        alignment.save_aligner(method, saved)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(saved.iterdir()):
                archive.write(path, f"{name}/{path.name}")
        return packed.read_bytes()


def aligned_bytes(study: Study) -> int:
    """About how large the aligned rows are."""
    rows = study.pair.source
    item = 2 if rows.dtype == "bfloat16" else np.dtype(rows.dtype).itemsize
    return rows.shape[0] * rows.shape[1] * item


def file_name(study: Study, settings: Settings, what: str) -> str:
    """A name that tells one file of a session from another.

    Streamlit keeps large downloads under a fingerprint of their name and of parts of their bytes, so that
    files of different data or settings must not share a name.
    """
    told = json.dumps([study.digest, settings.to_dict()], sort_keys=True).encode()
    mark = hashlib.blake2b(told, digest_size=4).hexdigest()
    slug = re.sub(r"[^a-z0-9]+", "-", study.name.lower()).strip("-")[:40].strip("-") or "data"
    return f"gapscope-{slug}-{mark}{what}"
