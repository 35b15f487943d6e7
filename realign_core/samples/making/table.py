"""A sample's rows as a parquet file: embeddings in half precision, captions, labels, small pictures."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from realign_core.samples.making.sets import PairSet


def write_table(pairs: PairSet, path: Path) -> None:
    """Write the columns `target`, `source`, `caption`, `label` and, with pictures, `thumbnail`."""
    columns = {
        "target": _rows(pairs.target),
        "source": _rows(pairs.source),
        "caption": pa.array(pairs.captions),
        "label": pa.array(pairs.labels),
    }
    repeated = ["label"]
    if pairs.images is not None:
        columns["thumbnail"] = pa.array([_webp(image) for image in pairs.images], pa.binary())
        repeated.append("thumbnail")
    pq.write_table(pa.table(columns), path, compression="zstd", compression_level=19, use_dictionary=repeated)


def _rows(rows: np.ndarray) -> pa.FixedSizeListArray:
    return pa.FixedSizeListArray.from_arrays(pa.array(rows.astype(np.float16).ravel()), rows.shape[1])


def _webp(image: np.ndarray) -> bytes:
    """A drawing of few tints is smaller without loss than with it."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(image).save(file, "WEBP", lossless=True, method=6)
    return file.getvalue()
