"""`realign encode` from end to end, and its results in `analyze`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from encode_tools import picture
from patience import HANGING

from realign_core.encode import choice
from realign_core.load import load_pair
from realign_core.load.provenance import described

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def words(pictures, captions, model_folder):
    """The arguments but for `--out`."""
    return ["encode", "--images", pictures, "--captions", captions, "--model", f"local-dir:{model_folder}"]


@pytest.mark.parametrize("name", ["out", "out.parquet", "out.npz"])
def test_analyze_reads_the_result_with_captions_and_provenance(cli, words, tmp_path, encoder, name):
    outcome = cli(*words, "--out", tmp_path / name)
    assert outcome.status == 0, outcome
    assert outcome.out.startswith(
        f"{tmp_path / name}: 12 pairs of dimension 16, images and captions by local"
    )
    assert outcome.err == ""
    pair = load_pair(tmp_path / name)
    assert list(pair.captions[:2]) == ["a picture with number 0", "a picture with number 1"]
    assert pair.image_paths[11].endswith("pictures/p11.png")
    assert pair.report.provenance_target == pair.report.provenance_source
    assert pair.report.provenance_target["weights"] == encoder.provenance["weights"]
    assert pair.report.norm_target.is_unit
    analyzed = cli(
        *("analyze", tmp_path / name, "--paired", "yes", "--methods", "identity", "--bootstrap", 5),
        *("--json", tmp_path / "a.json"),
    )
    assert analyzed.status == 0, analyzed
    found = json.loads((tmp_path / "a.json").read_text())["dataset"]
    assert found["paired"]
    assert found["n_target"] == 12
    assert found["provenance_target"]["preprocessing"]["mean"] == [0.4, 0.5, 0.6]
    assert any(f"Both sets were encoded by {described(encoder.provenance)}" in w for w in found["warnings"])
    assert cli("inspect", tmp_path / name).status == 0


def test_safetensors_has_no_room_for_captions_and_says_so(cli, words, tmp_path):
    from safetensors.numpy import load_file

    outcome = cli(*words, "--out", tmp_path / "out.safetensors")
    assert "has no room for image_path, caption; write .parquet, .npz or a folder" in outcome.err
    assert set(load_file(str(tmp_path / "out.safetensors"))) == {"image", "text"}
    assert load_pair(tmp_path / "out.safetensors").report.provenance_target["tool"]["name"] == "gapscope"


def test_every_format_holds_the_same_rows(cli, words, tmp_path):
    for name in ("out", "out.parquet", "out.npz", "out.safetensors"):
        assert cli(*words, "--shard-rows", 5, "--out", tmp_path / name).status == 0
    first = load_pair(tmp_path / "out")
    for name in ("out.parquet", "out.npz", "out.safetensors"):
        other = load_pair(tmp_path / name)
        np.testing.assert_array_equal(np.asarray(other.target), np.asarray(first.target))
        np.testing.assert_array_equal(np.asarray(other.source), np.asarray(first.source))
    assert not list(tmp_path.glob(".encode-*"))


def test_what_was_skipped_is_said_on_standard_error(cli, words, pictures, tmp_path):
    (pictures / "p1.png").write_bytes(b"x")
    (pictures / "other.md").write_text("x")
    outcome = cli(*words, "--out", tmp_path / "out")
    assert outcome.status == 0
    assert "11 pairs" in outcome.out
    assert "note: skipped p1.png: not an image that can be read" in outcome.err
    assert "files without an image suffix were left out: 1 (first: other.md)" in outcome.err


LONG = "y" * 300
REFUSED = {
    "nothing": ([], "there is nothing to encode"),
    "no images": (["--images", "none"], "none does not exist"),
    "no captions": (["--captions", "none.txt"], "none.txt does not exist"),
    "batch": (["--captions", "c.txt", "--batch", "0"], "--batch is 0; it must be at least 1"),
    "shard rows": (["--captions", "c.txt", "--shard-rows", "-1"], "--shard-rows is -1"),
    "device": (["--captions", "c.txt", "--device", "tpu"], "invalid choice: 'tpu'"),
    "counts": (["--captions", "c.txt", "--images", "a.png"], "there are 1 images and 2 captions"),
    "npy": (["--captions", "c.txt", "--out", "x.npy"], "cannot hold images and captions together"),
    "resume a file": (
        ["--captions", "c.txt", "--out", "x.npz", "--resume"],
        "--resume goes on with a folder",
    ),
    "no parent": (["--captions", "c.txt", "--out", "no/where"], "there is no folder"),
    "input": (["--captions", "c.txt", "--images", "empty", "--out", "empty"], "is an input"),
    "model": (["--captions", "c.txt", "--model", "nope"], "there is no model 'nope'"),
    "no name of a model": (["--captions", "c.txt", "--model", ""], "the model has no name; give bundled"),
    "no name of an image": (["--images", ""], "an image has an empty name; name an image"),
    "no name of captions": (["--captions", ""], "the captions have an empty name; name a file"),
    "zero in out": (["--captions", "c.txt", "--out", "a\0b"], "name a folder, or a .parquet"),
    "zero in captions": (["--captions", "a\0b.txt"], "does not exist; name a file of captions"),
    "zero in images": (["--images", "a\0b"], "does not exist; name an image"),
    "zero in model": (["--captions", "c.txt", "--model", "local-dir:a\0b"], "names no folder"),
    "zero in weights": (
        ["--captions", "c.txt", "--model", "ViT-B-32", "--weights", "a\0b"],
        "does not exist; name the file with the weights",
    ),
    "long out": (["--captions", "c.txt", "--out", LONG], "cannot be written: File name too long; choose"),
    "long file": (["--captions", "c.txt", "--out", f"{LONG}.parquet"], "cannot be written: File name too"),
    "long captions": (["--captions", f"{LONG}.csv"], "does not exist; name a file of captions"),
    "long images": (["--images", LONG], "does not exist; name an image"),
    "long model": (["--captions", "c.txt", "--model", f"local-dir:{LONG}"], "names no folder"),
    "long architecture": (["--captions", "c.txt", "--model", LONG], "there is no model"),
    "long weights": (
        ["--captions", "c.txt", "--model", "ViT-B-32", "--weights", LONG],
        "does not exist; name the file with the weights",
    ),
    "no bundled": (["--captions", "c.txt"], "this installation has no bundled model"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_unusable_input_is_one_sentence(refused, tmp_path, monkeypatch, model_folder, name):
    monkeypatch.chdir(tmp_path)
    bundled = tmp_path / "none" if name == "no bundled" else model_folder
    monkeypatch.setattr(choice, "BUNDLED_FOLDER", bundled)
    (tmp_path / "c.txt").write_text("one\ntwo\n")
    (tmp_path / "empty").mkdir()
    picture(0).save(tmp_path / "a.png")
    arguments, told = REFUSED[name]
    out = [] if "--out" in arguments else ["--out", "out"]
    assert told in refused("encode", *arguments, *out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "c.txt", "empty"]


def run(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "realign_core", *map(str, arguments)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_help_and_refusals_import_no_torch(tmp_path):
    for arguments in (["--help"], ["--captions", "none.txt", "--out", tmp_path / "o"]):
        code = (
            "import sys; from realign_core.cli import main\n"
            "try: main(sys.argv[1:])\nexcept SystemExit: pass\n"
            "print([n for n in ('torch', 'open_clip', 'PIL', 'pyarrow') if n in sys.modules])"
        )
        found = subprocess.run(
            [sys.executable, "-c", code, "encode", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=HANGING,
            check=True,
        )
        assert found.stdout.rstrip().endswith("[]")


def test_where_memory_runs_out_a_smaller_batch_is_advised(refused, captions, monkeypatch, tmp_path):
    def run_out(_):
        raise MemoryError

    monkeypatch.setattr("realign_core.cli.encode.read_captions", run_out)
    assert "memory ran out; lower --batch\n" in refused(
        "encode", "--captions", captions, "--out", tmp_path / "o"
    )


def test_a_request_to_end_leaves_nothing_beside_the_file(words, tmp_path):
    many = tmp_path / "many.txt"
    many.write_text("".join(f"caption {index}\n" for index in range(200_000)))
    model = words[-1]
    running = run("encode", "--captions", many, "--model", model, "--out", tmp_path / "out.parquet")
    end = time.monotonic() + HANGING
    while not list(tmp_path.glob(".encode-*")) and time.monotonic() < end and running.poll() is None:
        time.sleep(0.01)
    assert running.poll() is None
    running.send_signal(signal.SIGTERM)
    _, said = running.communicate(timeout=HANGING)
    assert running.returncode == 130, said
    assert "interrupted" in said
    assert not list(tmp_path.glob(".encode-*"))
    assert not (tmp_path / "out.parquet").exists()


def test_ctrl_c_leaves_finished_shards_and_resume_goes_on(words, pictures, captions, tmp_path, cli):
    many = 1500
    captions.write_text("".join(f"caption {index}\n" for index in range(12 + many)))
    for index in range(many):
        (pictures / f"q{index}.png").write_bytes((pictures / f"p{index % 12}.png").read_bytes())
    out = tmp_path / "out"
    settings = ["--out", out, "--batch", 8, "--shard-rows", 16]
    running = run(*words, *settings)
    end = time.monotonic() + HANGING
    while (
        not (out / "img_emb" / "img_emb_1.npy").exists() and time.monotonic() < end and running.poll() is None
    ):
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=HANGING)
    assert running.returncode == 130, said
    assert "interrupted" in said
    assert "Traceback" not in said
    record = json.loads((out / "encode.json").read_text())
    finished = {shard["number"] for shard in record["shards"]}
    there = {int(path.stem.rpartition("_")[2]) for path in out.rglob("*_*.*")}
    assert there == finished
    assert 0 < len(finished) < 95
    assert not list(out.rglob("*.part"))
    outcome = cli(*words, *settings, "--resume")
    assert outcome.status == 0, outcome
    assert f"{12 + many} pairs" in outcome.out
    assert json.loads((out / "encode.json").read_text())["complete"]
