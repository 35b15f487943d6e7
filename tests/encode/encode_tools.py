"""What the tests of encoding share."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

SIDE = 40


def picture(seed: int, size: tuple[int, int] = (SIDE, SIDE + 8)) -> Image.Image:
    """An RGB image `size` (width, height) of four random fields."""
    fields = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return Image.fromarray(fields).resize(size, Image.Resampling.NEAREST)


def stored(folder: Path, name: str) -> np.ndarray:
    """All rows of `img_emb` or `text_emb`."""
    files = sorted((folder / name).glob("*.npy"), key=lambda path: int(path.stem.rpartition("_")[2]))
    return np.concatenate([np.load(file) for file in files])


def metadata(folder: Path) -> dict[str, list]:
    """The columns of all shards."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted((folder / "metadata").glob("*"), key=lambda path: int(path.stem.rpartition("_")[2]))
    return pa.concat_tables([pq.read_table(file) for file in files]).to_pydict()
