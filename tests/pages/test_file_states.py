"""Files on the server: their digest counted once a state, and a change under an open page said."""

from __future__ import annotations

import os

import numpy as np
import pytest
from page_tools import pairs, sentences

from pages.components import digests, sources
from realign_core.checkpoint import counted_by, told_to
from realign_core.load.filestates import FileStates
from realign_core.validation import UnusableInput


@pytest.fixture
def root(tmp_path, monkeypatch):
    for name, rows in zip(("image.npy", "text.npy"), pairs(n=400)):
        np.save(tmp_path / name, rows)
    monkeypatch.setenv(sources.DATA_ROOT, str(tmp_path))
    digests._known.clear()
    return tmp_path


def overwrite(path) -> None:
    """Other rows of the same size, in place, with a time of their own."""
    rows = np.load(path)[::-1].copy()
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-rows.nbytes, os.SEEK_END)
        file.write(rows.tobytes())
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1_000_000))
    assert path.stat().st_size == before.st_size


def read(*names):
    return sources.path_reader(*names)(lambda stage: None)


def test_a_digest_is_counted_once_for_each_state_of_the_files(root, monkeypatch):
    counted = []
    whole = digests.digest_of
    monkeypatch.setattr(digests, "digest_of", lambda pair: counted.append(1) or whole(pair))
    first, again = (read("image.npy", "text.npy").digest for _ in range(2))
    assert first == again
    assert len(counted) == 1
    assert read("text.npy", "image.npy").digest != first
    overwrite(root / "text.npy")
    assert read("image.npy", "text.npy").digest != first
    assert len(counted) == 3


def test_reading_and_digesting_say_how_many_rows_are_done(root):
    stages, rows = [], []
    with told_to(stages.append), counted_by(lambda *found: rows.append(found)):
        read("image.npy", "text.npy")
    assert stages == [
        "looking for pairs and repeated rows",
        "digest of the target rows",
        "digest of the source rows",
    ]
    assert rows.count((400, 400)) == 2


def test_a_file_that_changes_while_it_is_read_is_not_taken(root, monkeypatch):
    whole = digests.digest_of

    def meanwhile(pair):
        overwrite(root / "text.npy")
        return whole(pair)

    monkeypatch.setattr(digests, "digest_of", meanwhile)
    with pytest.raises(UnusableInput, match=r"^text\.npy was written again"):
        read("image.npy", "text.npy")


def test_a_folder_counts_with_all_its_files(tmp_path):
    (tmp_path / "img_emb").mkdir()
    for number in range(2):
        np.save(tmp_path / "img_emb" / f"{number}.npy", np.eye(3))
    found = FileStates.of([str(tmp_path)])
    assert len(found.states) == 2
    assert found.changed is None
    (tmp_path / "img_emb" / "1.npy").unlink()
    assert found.changed is not None
    assert "no longer there" in found.changed


def test_an_overwritten_file_is_said_and_can_be_read_again(opened, root):
    at = opened(data="path:image.npy|text.npy")
    assert not at.warning
    gap = at.metric[0].value
    rows = np.load(root / "text.npy")
    np.save(root / "text.npy", rows - 3)
    at.switch_page("pages/geometry.py").run()
    assert at.warning[0].value.replace("\\", "").startswith("text.npy was written again since it was opened.")
    assert not at.error
    at.switch_page("pages/compare.py").run()
    assert "Nothing new is computed from it until it is read again" in at.error[0].value
    assert not at.exception
    at.button(key="read_again").click().run()
    assert not at.warning
    assert not at.error
    at.switch_page("pages/data.py").run()
    assert at.metric[0].value != gap
    assert "Computed from all 400 pairs." in sentences(at)
