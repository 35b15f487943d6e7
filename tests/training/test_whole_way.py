"""The whole way on a tiny model: train, track, encode with it, analyse what it encoded."""

from __future__ import annotations

import numpy as np
from PIL import Image
from tiny_run import SHORT

import realign_core as rc
from realign_core.cli import main
from realign_core.training.loop import MODEL_FOLDER, train
from realign_core.training.material import Probe
from realign_core.training.snapshots import open_snapshots


def test_a_model_is_trained_tracked_encoded_with_and_its_embeddings_analysed(tmp_path):
    record = train(SHORT, tmp_path / "run")
    assert record["finished"]
    tracker = rc.GapTracker.replay(open_snapshots(tmp_path / "run"), reference_step=20)
    table = tracker.to_frame()
    assert table["step"].tolist() == [0, 10, 20, 30, 40]
    assert table.loc[table["step"] >= 20, "gap"].notna().all()

    probe = Probe.draw(40, seed=5)
    (tmp_path / "photos").mkdir()
    for number, image in enumerate(probe.images):
        Image.fromarray(np.asarray(image)).save(tmp_path / "photos" / f"{number:03}.png")
    (tmp_path / "captions.txt").write_text("\n".join(probe.short) + "\n")
    files = ["--images", str(tmp_path / "photos"), "--captions", str(tmp_path / "captions.txt")]
    model = f"local-dir:{tmp_path / 'run' / MODEL_FOLDER}"
    status = main(["encode", *files, "--model", model, "--out", str(tmp_path / "made.npz")])
    assert status == 0

    data = rc.load_pair(tmp_path / "made.npz", paired="yes")
    assert data.report.n_target == 40
    assert data.report.dim == SHORT.model.embedding
    assert data.report.provenance_target is not None
    found = rc.compare(data, methods=["identity", "realign"], k=3).to_dict()
    assert found["gap"]["centroid_distance"] > 0
    assert found["methods"]["realign"]["in_sample"]["centroid_gap"] < found["gap"]["centroid_distance"]
