"""Inspecting a file tells what it holds, without torch and fast."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from realign_core.load import inspect_path
from realign_core.validation import UnusableInput

ROOT = Path(__file__).resolve().parents[2]


def test_an_archive(tmp_path):
    x = np.random.default_rng(0).standard_normal((20, 4)).astype(np.float32)
    x[3], x[5], x[7] = np.nan, 0, x[8]
    np.savez(tmp_path / "a.npz", image=x, stack=np.stack([x, 2 * x]), names=np.array(["a"] * 20))
    found = inspect_path(tmp_path / "a.npz")
    image, stack, names = found.arrays
    assert (image.key, image.shape, image.dtype, image.role) == ("image", (20, 4), "float32", "target")
    part = image.sets[0]
    assert (part.rows, part.bad_rows, part.first_bad_row, part.duplicates) == (
        20,
        {"NaN": 1, "zero norm": 1},
        3,
        1,
    )
    norms = np.linalg.norm(np.delete(x, [3, 5], axis=0).astype(np.float64), axis=1)
    assert part.norm.mean == pytest.approx(norms.mean(), rel=1e-12)
    assert stack.sets[1].norm.max == pytest.approx(2 * part.norm.max)
    assert names.sets == ()
    text = str(found)
    assert "image: 20 x 4, float32, by its name the target" in text
    assert "bad rows: 1 NaN, 1 zero norm (first: row 3); 1 exact duplicates" in text
    assert "[1] source: 20 rows of dimension 4" in text
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["arrays"][0]["key"] == "image"
    assert [array.key for array in inspect_path(f"{tmp_path}/a.npz:stack").arrays] == ["stack"]
    with pytest.raises(UnusableInput, match="has no array 'other'"):
        inspect_path(f"{tmp_path}/a.npz:other")


def test_a_set_without_usable_rows(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((3, 4)))
    found = inspect_path(tmp_path / "a.npy")
    assert found.arrays[0].sets[0].norm is None
    assert "no usable rows; bad rows: 3 zero norm (first: row 0)" in str(found)


def test_folders(tmp_path):
    for name in ("img_emb", "text_emb"):
        (tmp_path / name).mkdir()
        for i in range(3):
            np.save(tmp_path / name / f"{name}_{i}.npy", np.ones((4, 2), np.float16))
    found = inspect_path(tmp_path)
    assert found.format == "folder"
    assert [(array.role, array.shape) for array in found.arrays] == [("target", (12, 2)), ("source", (12, 2))]
    one = inspect_path(tmp_path / "img_emb")
    assert [(array.role, array.shape) for array in one.arrays] == [(None, (12, 2))]


def test_neither_torch_nor_arrow_is_imported_and_small_files_answer_at_once(tmp_path):
    import torch

    torch.save({"image": torch.ones(5, 3), "text": torch.ones(5, 3).bfloat16()}, tmp_path / "a.pt")
    torch.save(torch.ones(5, 3), tmp_path / "b.pt", _use_new_zipfile_serialization=False)
    np.save(tmp_path / "c.npy", np.ones((5, 3)))
    script = (
        "import sys\n"
        "from realign_core.load import inspect_path\n"
        "for path in sys.argv[1:]: print(inspect_path(path))\n"
        "print([name for name in ('torch', 'pyarrow', 'scipy', 'pandas') if name in sys.modules])\n"
    )
    paths = [str(tmp_path / name) for name in ("a.pt", "b.pt", "c.npy")]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", script, *paths], cwd=ROOT, capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - began
    assert done.stdout.endswith("[]\n")
    assert "text: 5 x 3, bfloat16, by its name the source" in done.stdout
    # A torch import alone takes longer than this; the limit leaves room for a busy machine.
    assert seconds < 2
