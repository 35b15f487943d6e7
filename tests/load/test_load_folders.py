"""Folders of shards, clip-retrieval's layout, keys after a colon."""

import shutil

import numpy as np
import pytest
from saving import N, rows_of

from realign_core.load import load_pair, open_rows
from realign_core.load.folders import natural_key
from realign_core.load.members import role_of
from realign_core.validation import UnusableInput


def test_shards_come_in_natural_order(tmp_path):
    x = rows_of(n=24)
    for i in range(12):
        np.save(tmp_path / f"shard_{i}.npy", x[2 * i : 2 * i + 2])
    (tmp_path / "notes.txt").write_text("not a shard")
    rows = open_rows(tmp_path)
    np.testing.assert_array_equal(rows.read(0, 24), x)
    np.testing.assert_array_equal(rows.read(3, 9), x[3:9])
    np.testing.assert_array_equal(rows.take(np.array([23, 0, 5])), x[[23, 0, 5]])
    assert sorted(["s_10", "s_2", "s_1"], key=natural_key) == ["s_1", "s_2", "s_10"]


def test_shards_of_both_sets(tmp_path):
    x, y = rows_of(n=20), rows_of(n=20, seed=1)
    for i in range(2):
        np.savez(tmp_path / f"s{i}.npz", image=x[10 * i : 10 * i + 10], text=y[10 * i : 10 * i + 10])
    pair = load_pair(tmp_path, paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), x)
    np.testing.assert_array_equal(np.asarray(pair.source), y)


def clip_retrieval(folder, x, y, sizes, *, metadata=True):
    import pandas as pd

    start = 0
    for name in ("img_emb", "text_emb", "metadata"):
        (folder / name).mkdir()
    for i, size in enumerate(sizes):
        part = slice(start, start + size)
        np.save(folder / "img_emb" / f"img_emb_{i}.npy", x[part].astype(np.float16))
        np.save(folder / "text_emb" / f"text_emb_{i}.npy", y[part].astype(np.float16))
        if metadata:
            columns = {
                "image_path": [f"p{j}" for j in range(part.start, part.stop)],
                "caption": [f"c{j}" for j in range(part.start, part.stop)],
            }
            pd.DataFrame(columns).to_parquet(folder / "metadata" / f"metadata_{i}.parquet")
        start += size


def test_clip_retrieval_folder(tmp_path):
    x, y = rows_of(n=33), rows_of(n=33, seed=1)
    clip_retrieval(tmp_path, x, y, [3] * 11)
    pair = load_pair(tmp_path, paired="yes")
    np.testing.assert_array_equal(np.asarray(pair.target), x.astype(np.float16))
    np.testing.assert_array_equal(np.asarray(pair.source), y.astype(np.float16))
    assert list(pair.captions) == [f"c{i}" for i in range(33)]
    assert list(pair.image_paths) == [f"p{i}" for i in range(33)]
    np.testing.assert_array_equal(open_rows(tmp_path, role="source").read(0, 33), y.astype(np.float16))
    np.testing.assert_array_equal(open_rows(tmp_path / "img_emb").read(0, 33), x.astype(np.float16))


def test_clip_retrieval_with_a_missing_shard_is_refused(tmp_path):
    clip_retrieval(tmp_path, rows_of(n=9), rows_of(n=9), [3] * 3)
    (tmp_path / "text_emb" / "text_emb_2.npy").unlink()
    with pytest.raises(UnusableInput, match="3 shards in img_emb and 2 in text_emb; complete it"):
        load_pair(tmp_path)
    np.save(tmp_path / "text_emb" / "text_emb_2.npy", rows_of(n=2))
    with pytest.raises(UnusableInput, match=r"img_emb_2.npy has 3 rows and .*text_emb_2.npy has 2"):
        load_pair(tmp_path)
    with pytest.raises(UnusableInput, match="holds images and texts; name"):
        open_rows(tmp_path)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_clip_retrieval_metadata_goes_with_its_shards(tmp_path, suffix):
    import pandas as pd

    clip_retrieval(tmp_path, rows_of(n=9), rows_of(n=9), [3] * 3)
    folder = tmp_path / "metadata"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()

    def write(number, count):
        frame = pd.DataFrame({"caption": [f"dog {number} {row}" for row in range(count)]})
        path = folder / f"metadata_{number}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path)

    for number in range(3):
        write(number, 3)
    assert list(load_pair(tmp_path, paired="yes").captions[2:4]) == ["dog 0 2", "dog 1 0"]
    # As many in all, but the captions of the second shard would shift by one.
    write(0, 4)
    write(1, 2)
    with pytest.raises(UnusableInput, match=r"metadata_0\..* has 4 rows and .*img_emb_0.npy has 3; complete"):
        load_pair(tmp_path, paired="yes")


def test_colons_in_paths_and_keys(tmp_path):
    folder = tmp_path / "run:1"
    folder.mkdir()
    np.savez(folder / "a:b.npz", **{"image": rows_of(), "x:y": rows_of(seed=1)})
    np.testing.assert_array_equal(open_rows(f"{folder}/a:b.npz:image").read(0, N), rows_of())
    np.testing.assert_array_equal(open_rows(f"{folder}/a:b.npz:x:y").read(0, N), rows_of(seed=1))


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("image", "target"),
        ("img_emb", "target"),
        ("imageFeatures", "target"),
        ("X", "target"),
        ("vision.pooled", "target"),
        ("text_embeds", "source"),
        ("y", "source"),
        ("captions", "source"),
        ("image_text_cosine", None),
        ("index", None),
        ("context", None),
        (None, None),
    ],
)
def test_roles_are_read_off_whole_words(key, role):
    assert role_of(key) == role
