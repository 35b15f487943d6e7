"""What a run that failed or was killed leaves, and what the next one makes of a record that is not true."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from realign_core.encode import encode_folder, find_images, make_plan, read_captions, shards
from realign_core.load import load_pair

ROWS = 5


@pytest.fixture
def plan(pictures, captions):
    return make_plan(find_images([pictures]), read_captions(captions))


class Failed(Exception):
    pass


def failing(monkeypatch, plan, encoder, folder):
    """Fail while the first shard is written."""

    def fail(*_):
        raise Failed

    monkeypatch.setattr(shards, "write_metadata", fail)
    with pytest.raises(Failed):
        encode_folder(plan, encoder, folder, shard_rows=ROWS)
    monkeypatch.undo()


def test_a_failure_in_the_first_shard_leaves_nothing(plan, encoder, tmp_path, monkeypatch):
    failing(monkeypatch, plan, encoder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "there").mkdir()
    failing(monkeypatch, plan, encoder, tmp_path / "there")
    assert not list((tmp_path / "there").iterdir())


def test_a_run_killed_in_its_first_shard_goes_on(plan, encoder, tmp_path, monkeypatch):
    # Nothing is cleaned up after a kill.
    monkeypatch.setattr(shards.ShardFolder, "discard", lambda _: None)
    monkeypatch.setattr(shards.Path, "unlink", lambda *_, **__: None)
    failing(monkeypatch, plan, encoder, tmp_path / "out")
    assert (tmp_path / "out" / "img_emb" / "img_emb_0.npy").exists()
    assert encode_folder(plan, encoder, tmp_path / "out", shard_rows=ROWS, resume=True).rows == 12


def of_record(change):
    def damage(folder):
        path = folder / "encode.json"
        record = json.loads(path.read_text())
        change(record["shards"])
        path.write_text(json.dumps(record))

    return damage


def shortened(folder):
    path = folder / "text_emb" / "text_emb_1.npy"
    path.write_bytes(path.read_bytes()[:-4])


def fewer_metadata(folder):
    path = folder / "metadata" / "metadata_0.parquet"
    pq.write_table(pq.read_table(path)[:-1], path)


DAMAGE = {
    "missing": lambda folder: (folder / "img_emb" / "img_emb_0.npy").unlink(),
    "shortened": shortened,
    "garbage": lambda folder: (folder / "img_emb" / "img_emb_2.npy").write_bytes(b"x"),
    "fewer rows": lambda folder: np.save(folder / "img_emb" / "img_emb_1.npy", np.ones((4, 16), np.float32)),
    "no metadata": lambda folder: shutil.rmtree(folder / "metadata"),
    "fewer metadata": fewer_metadata,
    "negative rows": of_record(lambda listed: listed[0].update(rows=-3)),
    "too many rows": of_record(lambda listed: listed[0].update(rows=100)),
    "no rows": of_record(lambda listed: listed[0].update(rows=0)),
    "another number": of_record(lambda listed: listed[0].update(number=99)),
    "twice": of_record(lambda listed: listed.append(listed[0])),
    "other order": of_record(lambda listed: listed.reverse()),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_shards_that_are_not_as_recorded_are_encoded_again(plan, encoder, tmp_path, name):
    encode_folder(plan, encoder, tmp_path / "whole", shard_rows=ROWS)
    shutil.copytree(tmp_path / "whole", tmp_path / "out")
    DAMAGE[name](tmp_path / "out")
    found = encode_folder(plan, encoder, tmp_path / "out", shard_rows=ROWS, resume=True)
    assert found.rows == 12
    assert [shard.number for shard in found.shards.shards] == [0, 1, 2]
    for path in (tmp_path / "whole").rglob("*.*"):
        assert (tmp_path / "out" / path.relative_to(tmp_path / "whole")).read_bytes() == path.read_bytes()
    assert load_pair(tmp_path / "out").report.n_target == 12
