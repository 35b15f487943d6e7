"""What the tests of unusable files share."""

import io
import os

import numpy as np
import pytest

from realign_core.load import open_rows
from realign_core.validation import UnusableInput

X = np.random.default_rng(0).standard_normal((12, 4)).astype(np.float32)
PLAIN = X.tobytes()


def read_all(path, **options):
    rows = open_rows(path, **options)
    return rows.read(0, rows.shape[0])


def refuse(path, match, **options):
    """Opening and reading all of `path` is refused in one line that names it."""
    with pytest.raises(UnusableInput, match=match) as caught:
        read_all(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert os.path.basename(str(path)).split(":")[0] in message
    return message


def npy_bytes(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def npy_header(shape, descr="<f4"):
    buffer = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue()
