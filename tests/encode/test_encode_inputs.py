"""What is read: pictures of every kind and state, archives, captions and how they are joined."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from encode_tools import metadata, picture
from PIL import Image

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
from realign_core.encode.decoding import BrokenImage, decode
from realign_core.encode.skipped import sentences
from realign_core.validation import UnusableInput


def file_of(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bomb() -> bytes:
    """A PNG that declares 40 000 x 40 000 pixels."""
    content = bytearray(file_of(Image.new("L", (8, 8))))
    content[16:24] = (40_000).to_bytes(4, "big") * 2
    import zlib

    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


WHOLE = file_of(picture(0), "JPEG")
BROKEN = {
    "truncated": (WHOLE[: len(WHOLE) // 2], "damaged: "),
    "no image": (b"these are words", "not an image that can be read"),
    "empty": (b"", "the file is empty"),
    "bomb": (bomb(), "pixels"),
    "script": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not an image that can be read"),
    "a line": (file_of(Image.new("L", (1, 300_000))), "1 x 300000: one side is more than 200 times"),
    "32-bit": (file_of(Image.fromarray(np.ones((4, 4), np.float32)), "TIFF"), "32-bit numbers"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_image_has_a_reason(name):
    content, reason = BROKEN[name]
    with pytest.raises(BrokenImage, match=reason):
        decode(content)


def test_a_picture_just_over_the_limit_of_pixels_is_broken(monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.warns(Image.DecompressionBombWarning), pytest.raises(BrokenImage, match="40 x 48 is more"):
        decode(file_of(picture(0)))


def test_orientation_is_applied():
    upright = Image.new("RGB", (4, 2))
    upright.putpixel((0, 0), (255, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode(file_of(upright, exif=exif))
    assert turned.size == (2, 4)
    assert turned.getpixel((1, 0)) == (255, 0, 0)


def test_transparency_is_shown_over_white():
    clear = Image.new("RGBA", (2, 2), (255, 0, 0, 0))
    assert decode(file_of(clear)).getpixel((0, 0)) == (255, 255, 255)
    palette = Image.new("P", (2, 2))
    palette.putpalette([0, 0, 255, 9, 9, 9])
    assert decode(file_of(palette)).getpixel((0, 0)) == (0, 0, 255)
    assert decode(file_of(palette, transparency=0)).getpixel((0, 0)) == (255, 255, 255)
    assert decode(file_of(Image.new("LA", (2, 2), (7, 255)))).getpixel((0, 0)) == (7, 7, 7)


def test_grey_of_8_and_16_bits_is_the_same_grey():
    deep = Image.fromarray(np.full((2, 2), 128 * 257, np.uint16))
    for content in (file_of(deep), file_of(deep, "TIFF"), file_of(Image.new("L", (2, 2), 128))):
        assert decode(content).getpixel((0, 0)) == (128, 128, 128)
    assert decode(file_of(Image.new("CMYK", (2, 2)), "JPEG")).mode == "RGB"


def test_folders_are_read_in_natural_order_without_hidden_and_other_files(pictures):
    (pictures / ".hidden.png").write_bytes(b"x")
    (pictures / "notes.md").write_text("x")
    (pictures / "sub").mkdir()
    picture(50).save(pictures / "sub" / "a.PNG")
    found = find_images([pictures])
    assert [entry.name for entry in found.entries] == [f"p{index}.png" for index in range(12)] + ["sub/a.PNG"]
    assert found.others == ["notes.md"]


def test_broken_images_are_skipped_with_their_captions(pictures, captions, encoder, tmp_path):
    (pictures / "p3.png").write_bytes(BROKEN["truncated"][0])
    (pictures / "p10.png").write_bytes(b"")
    plan = make_plan(find_images([pictures]), read_captions(captions))
    found = encode_folder(plan, encoder, tmp_path / "out", shard_rows=4)
    assert found.rows == 10
    assert [entry.name for entry in found.skipped] == ["p3.png", "p10.png"]
    left = [f"a picture with number {index}" for index in range(12) if index not in (3, 10)]
    assert metadata(tmp_path / "out")["caption"] == left
    assert len(list(sentences(found.skipped))) == 2


def test_a_shard_of_broken_images_has_no_files(pictures, encoder, tmp_path):
    for index in range(4):
        (pictures / f"p{index}.png").write_bytes(b"")
    found = encode_folder(make_plan(find_images([pictures]), None), encoder, tmp_path / "out", shard_rows=4)
    assert found.rows == 8
    names = sorted(path.name for path in (tmp_path / "out" / "img_emb").iterdir())
    assert names == ["img_emb_1.npy", "img_emb_2.npy"]


def test_a_picture_that_preprocessing_cannot_take_is_broken_alone(pictures, encoder, tmp_path):
    def preprocess(image):
        if image.size == (7, 7):
            raise ValueError("odd size")
        return encoder.preprocess(image)

    picture(0, (7, 7)).save(pictures / "p1.png")
    plan = make_plan(find_images([pictures]), None)
    found = encode_folder(plan, replace(encoder, preprocess=preprocess), tmp_path / "out")
    assert found.skipped == (Skipped("p1.png", "the model's preprocessing cannot take it: odd size"),)
    assert found.rows == 11


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/"), content)
    return path


def test_a_zip_is_read_in_place_and_equals_the_folder(pictures, captions, encoder, tmp_path):
    content = {f"set__{path.name}": path.read_bytes() for path in pictures.iterdir()}
    path = zipped(tmp_path / "p.zip", **content, **{"set__.x.png": b"x", "set__read.me": b"x"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/set/p1.png", b"x")
    images = find_images([path])
    assert images.others == ["set/read.me"]
    encode_folder(make_plan(images, read_captions(captions)), encoder, tmp_path / "zip")
    encode_folder(make_plan(find_images([pictures]), read_captions(captions)), encoder, tmp_path / "folder")
    name = "img_emb/img_emb_0.npy"
    np.testing.assert_array_equal(np.load(tmp_path / "zip" / name), np.load(tmp_path / "folder" / name))
    assert metadata(tmp_path / "zip")["image_path"][0] == "set/p0.png"


def encrypted(path):
    zipped(path, **{"a.png": b"x"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


REFUSED = {
    "bomb": (lambda path: zipped(path, **{"a.png": b"\0" * (80 << 20)}), "times its size, the limit is 100"),
    "count": (
        lambda path: zipped(path, **{f"{i}.png": b"x" for i in range(6)}),
        "holds 6 files, the limit is 5",
    ),
    "total": (lambda path: zipped(path, **{"a.png": b"\0" * (101 << 20)}), "unpacks to 101 MB"),
    "climbs": (lambda path: zipped(path, **{"..__a.png": b"x"}), "leads out of the archive"),
    "absolute": (lambda path: zipped(path, **{"__etc__a.png": b"x"}), "leads out of the archive"),
    "drive": (lambda path: zipped(path, **{"C:__a.png": b"x"}), "leads out of the archive"),
    "encrypted": (encrypted, "is encrypted"),
    "no zip": (lambda path: path.write_bytes(b"hello"), "is not a whole zip archive"),
    "no images": (lambda path: zipped(path, **{"a.txt": b"x"}), r"holds no images; it holds \.txt"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_an_archive_is_refused_with_a_sentence(name, tmp_path):
    make, told = REFUSED[name]
    make(tmp_path / "x.zip")
    with pytest.raises(UnusableInput, match=told):
        find_images([tmp_path / "x.zip"], limits=ImageLimits(count=5, total=100 << 20))


def test_a_member_that_lies_about_its_size_is_broken_alone(pictures, encoder, tmp_path):
    path = zipped(tmp_path / "x.zip", **{"a.png": file_of(picture(0)), "b.png": file_of(picture(1))})
    content = bytearray(path.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    path.write_bytes(content)
    found = encode_folder(make_plan(find_images([path]), None), encoder, tmp_path / "out")
    assert [entry.name for entry in found.skipped] == ["a.png"]
    assert found.rows == 1


def test_an_image_over_the_limit_of_bytes_is_broken_alone(pictures, encoder, tmp_path):
    size = max(path.stat().st_size for path in pictures.iterdir())
    (pictures / "p0.png").write_bytes((pictures / "p0.png").read_bytes() + bytes(5000))
    plan = make_plan(find_images([pictures], limits=ImageLimits(one=size)), None)
    assert encode_folder(plan, encoder, tmp_path / "out").skipped[0].name == "p0.png"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_a_table_joins_by_name_several_captions_to_an_image(pictures, encoder, tmp_path, suffix):
    import pandas as pd

    table = pd.DataFrame(
        {
            "caption": ["eleven", "zero, first", "one", "zero again", "gone"],
            "filename": ["p11", "p0.png", f"{pictures}/p1.png", "./p0.png", "p99.png"],
            "label": ["e", "z", "o", "z", "g"],
        }
    )
    path = tmp_path / f"c.{suffix}"
    if suffix == "parquet":
        table.to_parquet(path)
    else:
        table.to_csv(path, index=False, sep="\t" if suffix == "tsv" else ",")
    plan = make_plan(find_images([pictures]), read_captions(path))
    found = encode_folder(plan, encoder, tmp_path / "out")
    kept = metadata(tmp_path / "out")
    assert kept["caption"] == ["zero, first", "zero again", "one", "eleven"]
    assert kept["label"] == ["z", "z", "o", "e"]
    rows = np.load(tmp_path / "out" / "img_emb" / "img_emb_0.npy")
    np.testing.assert_array_equal(rows[0], rows[1])
    assert Skipped("p99.png", "no image has the name that its caption gives") in found.skipped
    assert sum(entry.reason == "no caption names this image" for entry in found.skipped) == 9


def test_a_name_that_fits_two_images_is_refused(pictures):
    picture(0).save(pictures / "p1.jpg")
    captions = ("x",), ("p1",)
    with pytest.raises(UnusableInput, match=r"'p1' may be p1\.jpg and p1\.png; give its path"):
        make_plan(find_images([pictures]), Captions(*captions))


def test_captions_that_name_no_image_are_refused(pictures):
    with pytest.raises(UnusableInput, match=r"the first says 'q\.png', the first image is 'p0\.png'"):
        make_plan(find_images([pictures]), Captions(("x",), ("q.png",)))


def test_counts_that_differ_are_told(pictures):
    with pytest.raises(
        UnusableInput, match="there are 12 images and 2 captions in the captions; give as many"
    ):
        make_plan(find_images([pictures]), from_lines("a\nb\n"))


def test_an_empty_caption_goes_with_its_image(pictures):
    lines = "\n".join("" if index == 4 else "words" for index in range(12))
    plan = make_plan(find_images([pictures]), from_lines(lines + "\n\n"))
    assert len(plan.rows) == 11
    assert plan.skipped == (Skipped("p4.png", "the caption is empty"),)


BAD_CAPTIONS = {
    "c.txt": (b"", "is empty"),
    "d.txt": (b"\xff\xfe\x00", "is not UTF-8 text"),
    "z.txt": (b"a\0b", "holds a zero byte"),
    "c.csv": (b"words,file\na,b\n", r"no column named caption \(it has words, file\)"),
    "h.csv": (b"caption,file\n", "has no rows below its header"),
    "r.csv": (b"caption,file\na\n", "row 0 has 1 columns"),
    "c.parquet": (b"PAR1xxxx", r"c\.parquet is damaged"),
    "c.doc": (b"x", "has the suffix '.doc'"),
}


@pytest.mark.parametrize("name", BAD_CAPTIONS)
def test_bad_captions_are_refused_with_a_sentence(name, tmp_path):
    content, told = BAD_CAPTIONS[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UnusableInput, match=told):
        read_captions(tmp_path / name)
    with pytest.raises(UnusableInput, match="does not exist"):
        read_captions(tmp_path / "not there.csv")
