"""Names that are no Unicode, files that are none, and columns of bytes."""

from __future__ import annotations

import os
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from encode_tools import metadata, picture

from realign_core.encode import (
    Captions,
    ImageLimits,
    Skipped,
    encode_folder,
    find_images,
    from_lines,
    make_plan,
    read_captions,
)
from realign_core.validation import UnusableInput

LATIN = os.fsdecode(b"x_\xff.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes among files")
def test_pipes_and_devices_in_a_folder_are_skipped(pictures, encoder, tmp_path):
    os.mkfifo(pictures / "pipe.png")
    (pictures / "zero.png").symlink_to("/dev/zero")
    found = encode_folder(make_plan(find_images([pictures]), None), encoder, tmp_path / "out")
    assert found.rows == 12
    assert found.skipped == (
        Skipped("pipe.png", "no ordinary file"),
        Skipped("zero.png", "no ordinary file"),
    )
    with pytest.raises(
        UnusableInput, match=r"holds no images that can be read; the first, pipe\.png: no ord"
    ):
        find_images([pictures / "pipe.png"])
    os.mkfifo(tmp_path / "pipe.zip")
    with pytest.raises(UnusableInput, match=r"pipe\.zip is no ordinary file"):
        find_images([tmp_path / "pipe.zip"])


def test_a_file_that_grew_after_it_was_listed_is_read_to_the_limit(pictures):
    images = find_images([pictures / "p0.png"], limits=ImageLimits(one=5000))
    (pictures / "p0.png").write_bytes(bytes(6000))
    with pytest.raises(OSError, match="has grown beyond the limit"):
        images.read(0)


def test_the_limit_of_bytes_holds_for_all_images_together(pictures, tmp_path):
    size = sum(path.stat().st_size for path in pictures.iterdir())
    assert len(find_images([pictures], limits=ImageLimits(total=size))) == 12
    archives = []
    for number in range(2):
        archives.append(tmp_path / f"{number}.zip")
        with zipfile.ZipFile(archives[-1], "w") as archive:
            archive.write(pictures / "p0.png", "a.png")
    one = (pictures / "p0.png").stat().st_size
    for given, limit in ((archives, 2 * one - 1), ([pictures], size - 1)):
        with pytest.raises(UnusableInput, match="MB together, the limit is 0 MB; give fewer at once"):
            find_images(given, limits=ImageLimits(total=limit))


def test_a_dangling_link_is_skipped_alone(pictures, captions):
    (pictures / "gone.png").symlink_to(pictures / "nowhere.png")
    plan = make_plan(find_images([pictures]), None)
    assert len(plan.rows) == 12
    assert plan.skipped == (Skipped("gone.png", "cannot be read: No such file or directory"),)
    (pictures / "p3.png").unlink()
    with pytest.raises(UnusableInput, match=r"there are 11 images \(skipped gone\.png: cannot be read"):
        make_plan(find_images([pictures]), read_captions(captions))


@pytest.mark.skipif(os.name != "posix" or os.uname().sysname != "Linux", reason="names are Unicode there")
@pytest.mark.parametrize("out", ["out", "out.parquet", "out.npz"])
def test_a_name_that_is_no_unicode_is_escaped(pictures, model_folder, cli, tmp_path, out):
    picture(1).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", pictures / LATIN)
    (pictures / os.fsdecode(b"y_\xff.png")).write_bytes(b"x")
    (pictures / os.fsdecode(b"z_\xff.md")).write_bytes(b"x")
    outcome = cli(
        "encode", "--images", pictures, "--model", f"local-dir:{model_folder}", "--out", tmp_path / out
    )
    assert outcome.status == 0, outcome
    assert "13 rows" in outcome.out
    assert "skipped y_\\udcff.png: not an image" in outcome.err
    if out == "out":
        assert metadata(tmp_path / out)["image_path"][-1].endswith("x_\\udcff.png")


def test_captions_with_lone_surrogates_are_escaped(encoder, tmp_path):
    assert from_lines("a\ud800b").texts == ("a\\ud800b",)
    plan = make_plan(None, from_lines("a\ud800b\nwords"))
    encode_folder(plan, encoder, tmp_path / "out")
    assert metadata(tmp_path / "out")["caption"] == ["a\\ud800b", "words"]


def test_binary_columns_are_read_as_utf8_or_refused(tmp_path):
    path = tmp_path / "c.parquet"
    columns = {
        "caption": ["ein  Bär".encode(), None],
        "image_path": [b"a.png", b"b.png"],
        "label": [b"x", b"y"],
    }
    pq.write_table(pa.table({name: pa.array(values, pa.binary()) for name, values in columns.items()}), path)
    assert read_captions(path) == Captions(("ein Bär", ""), ("a.png", "b.png"), ("x", "y"), str(path))
    pq.write_table(pa.table({"caption": pa.array([b"\xff"], pa.binary())}), path)
    with pytest.raises(UnusableInput, match=r"c\.parquet holds texts as bytes that are not UTF-8; write the"):
        read_captions(path)


@pytest.mark.parametrize("name", ["caption", "image_path", "label"])
def test_two_columns_of_one_meaning_are_refused(name, tmp_path):
    others = [other for other in ("caption", "image_path", "label") if other != name]
    (tmp_path / "c.csv").write_text(",".join([name, name, *others]) + "\na,b,c,d\n")
    with pytest.raises(UnusableInput, match=rf"c\.csv has more than one column named {name}; rename all but"):
        read_captions(tmp_path / "c.csv")


def test_a_cell_with_several_captions_is_refused(tmp_path):
    pq.write_table(pa.table({"caption": [["a", "b"], ["c"]]}), tmp_path / "c.parquet")
    with pytest.raises(UnusableInput, match=r"c\.parquet holds no text in its column caption; give each"):
        read_captions(tmp_path / "c.parquet")
