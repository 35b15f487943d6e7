"""Delimited text: both parsers against each other, headers, quotes, line ends, files that change."""

import csv
import io
import re

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from refusing import read_all, refuse

from realign_core.load import records, table
from realign_core.load.opening import contents_of, open_one
from realign_core.validation import UnusableInput

X = np.random.default_rng(0).standard_normal((40, 3))
QUICK = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def lines_of(rows=X):
    return [",".join(map(repr, row)) for row in rows.tolist()]


def outcome(path):
    """What reading gives: the values and captions, or the message."""
    try:
        opened = open_one(path, role=None)
        rows = opened.rows.read(0, opened.rows.shape[0])
    except UnusableInput as error:
        # The one counts rows and the other lines.
        return re.sub(r"(row|line) \d+ cannot", "cannot", str(error))
    return rows.tobytes(), opened.sidecar.captions


NUMBERS = st.one_of(
    st.floats().map(repr),
    st.sampled_from(
        ["", "NA", "nan", "-nan", "nan(1)", "NaN", "Null", " 1 ", "+2", "1_0", "1e999", "x", "1."]
    ),
    st.sampled_from(
        ["1e-400", "4.9e-324", "0x1p3", "inf", "-Infinity", '"3"', '"3"4', "\t5", "\uff11", "1,2"]
    ),
)
CAPTIONS = st.text(st.sampled_from('ab ",;\t\n\ré'), max_size=6)


@QUICK
@given(st.data())
def test_both_parsers_agree(tmp_path, monkeypatch, data):
    path = tmp_path / "a.csv"
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=data.draw(st.sampled_from(["\n", "\r\n"])))
    writer.writerow(["caption", "x", "y"])
    raw = data.draw(st.booleans())
    for _ in range(data.draw(st.integers(1, 5))):
        row = [data.draw(CAPTIONS), data.draw(NUMBERS), data.draw(st.floats().map(repr))]
        if raw:
            written.write(",".join(row) + "\n")
        else:
            writer.writerow(row)
    path.write_bytes(written.getvalue().encode())
    monkeypatch.setattr(table, "BLOCK_BYTES", data.draw(st.sampled_from([1, 20, 1 << 20])))
    monkeypatch.setattr(records, "CHUNK", data.draw(st.sampled_from([1, 7, 1 << 20])))
    found = outcome(path)
    with monkeypatch.context() as patched:
        patched.setattr(table, "_by_arrow", lambda *arguments: None)
        patched.setattr(records, "_by_parity", lambda *arguments: (np.empty(0, np.int64), False))
        assert outcome(path) == found


def test_ordinary_tables_need_no_second_parser(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    rows = [f'"a ""dog"", {i}\nand a cat",{line}' for i, line in enumerate(lines_of())]
    path.write_text(
        "\r\n".join(["\ufeffcaption,x,y,z", *rows, "", "none,1,NA,", "", ""]), "utf-8", newline=""
    )
    parsed = []
    cells = table.Lines.cells

    def counted(lines, start, text):
        parsed.append(cells(lines, start, text))
        return parsed[-1]

    monkeypatch.setattr(table.Lines, "cells", counted)
    monkeypatch.setattr(table, "BLOCK_BYTES", 500)
    opened = open_one(path, role=None)
    values = opened.rows.read(0, 41)
    np.testing.assert_array_equal(values[:40], X)
    np.testing.assert_array_equal(values[40], [1, np.nan, np.nan])
    assert opened.sidecar.captions[39:] == ['a "dog", 39\nand a cat', "none"]
    assert list(map(len, parsed)) == [table.SAMPLE_ROWS]


@pytest.mark.parametrize("mark", ['5" pipe', 'the "end"', '"', '" open'])
def test_quotes_inside_bare_cells_are_text(tmp_path, mark):
    path = tmp_path / "a.tsv"
    rows = [f"{mark} {i}\t" + line.replace(",", "\t") for i, line in enumerate(lines_of())]
    text = "\n".join(["caption\tx\ty\tz", *(row if row[0] != '"' else f"a{row}" for row in rows)])
    path.write_text(text)
    opened = open_one(path, role=None)
    np.testing.assert_array_equal(opened.rows.read(0, 40), X)
    assert opened.sidecar.captions[3].endswith(f"{mark} 3")


def test_a_quote_that_never_closes_swallows_no_rows(tmp_path):
    path = tmp_path / "a.csv"
    rows = [f"{line},dog" for line in lines_of()]
    rows[7] = rows[7].replace("dog", '"dog')
    path.write_text("\n".join(["x,y,z,caption", *rows]))
    refuse(path, "line 9 opens a quote that never closes; close it")


def test_bare_carriage_returns_are_refused_with_the_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"x,y\n1.5,2\n1,2\r3,4\n")
    refuse(path, "row 1 cannot be read .*; mend its quotes and line ends")


@pytest.mark.parametrize(
    ("first", "rows"),
    [
        ("0,1,2", 40),
        (",0,1,2", 40),
        ("caption,0,1,2", 40),
        ("id,5,7,9", 40),
        ("dog,0.5,1.5,2.5", 41),
        ("0.5,1.5,2.5", 41),
        ("0.5,,2.5", 41),
        ("0,1,3", 41),
    ],
)
def test_the_first_line_is_a_header_or_a_row(tmp_path, first, rows):
    path = tmp_path / "a.csv"
    side = "" if first.count(",") == 2 else "cat," if first.startswith(("dog", "caption")) else "7,"
    path.write_text("\n".join([first, *(side + line for line in lines_of())]))
    shape = open_one(path, role=None).rows.shape
    assert shape == (rows, 3)
    np.testing.assert_array_equal(read_all(path)[rows - 40 :], X)


def test_whole_numbers_above_whole_numbers_are_a_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("0,1,2\n5,6,7\n1,2,9\n")
    assert read_all(path).tolist() == [[0, 1, 2], [5, 6, 7], [1, 2, 9]]


def test_a_table_that_changes_between_blocks_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines_of()))
    rows = open_one(path, role=None).rows
    path.write_text("\n".join(lines_of(-X[::-1])) + "\n")
    with pytest.raises(UnusableInput, match="changed while it was read; wait until it is written"):
        rows.read(0, 40)


def test_one_row_may_be_longer_than_a_block(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "BLOCK_BYTES", 10)
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines_of()))
    np.testing.assert_array_equal(read_all(path), X)


def test_tables_are_opened_without_pyarrow(tmp_path):
    import subprocess
    import sys

    path = tmp_path / "a.csv"
    path.write_text("x,y\n1,2\n")
    script = (
        "import sys; from realign_core.load.opening import contents_of; contents_of(sys.argv[1]); "
        "sys.exit('pyarrow' in sys.modules)"
    )
    assert contents_of(str(path)).members[0].shape == (1, 2)
    assert subprocess.run([sys.executable, "-c", script, path], check=False).returncode == 0
