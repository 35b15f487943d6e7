"""The Phantom drift page: sentences, sphere and stages that follow from the data."""

from __future__ import annotations

import json

import numpy as np
import pytest
from page_tools import pairs, sentences

from pages.components.study import Study
from realign_core.diagnostics.drift import STAGES
from realign_core.diagnostics.drift_path import SHOWN_ROWS
from realign_core.load import Batches, EmbeddingPair


def study_of(target, source, **options) -> Study:
    pair = EmbeddingPair.from_arrays(target, source, **options)
    return Study.of(pair, name="made", origin="upload")


def specs(at) -> list[dict]:
    return [json.loads(element.proto.spec) for element in at.get("plotly_chart")]


def test_opens_on_sentences_the_sphere_the_stages_and_the_parts(opened):
    at = opened("drift")
    assert not at.exception
    assert not at.error
    assert "Going back to the sphere after anchor and trace moves the centroid by" in sentences(at)
    sphere, stages, parts = specs(at)
    assert [frame["name"] for frame in sphere["frames"]] == list(STAGES)
    assert [step["label"] for step in sphere["layout"]["sliders"][0]["steps"]] == list(STAGES)
    assert stages["layout"]["yaxis"]["type"] == "log"
    assert len(parts["data"]) == 4


def test_stages_end_at_the_gap_that_realign_leaves_and_hold_the_floor(opened, held):
    study = study_of(*pairs(n=300, d=10))
    held.studies["upload:x"] = study
    _, stages, _ = specs(opened("drift", data="upload:x"))
    diagnosis = study.diagnosis(0.99, 0)
    measured = next(trace for trace in stages["data"] if trace["name"].startswith("centroid gap"))["y"]
    assert measured[0] == pytest.approx(diagnosis.gap.centroid_distance)
    assert measured[-1] == pytest.approx(diagnosis.drift.stages["final"])
    floor = next(trace for trace in stages["data"] if trace["name"].startswith("sampling floor"))
    assert floor["y"][0] == pytest.approx(diagnosis.gap.sampling_floor)


def test_reads_no_more_rows_than_it_shows():
    study = study_of(*pairs(n=2000, d=5))
    diagnosis = study.diagnosis(0.99, 0)
    read = []

    class Counted(Batches):
        def take(self, indices):
            read.append(len(indices))
            return super().take(indices)

        def read(self, start, stop):
            raise AssertionError("a whole block was read")

    pair = study.pair
    for name in ("target", "source"):
        rows = getattr(pair, name)
        object.__setattr__(pair, name, Counted(rows.source, keep=rows.keep))
    path = study.drift_path(diagnosis)
    assert read == [SHOWN_ROWS, SHOWN_ROWS]
    assert path is study.drift_path(diagnosis)
    lengths = np.linalg.norm(path.target, axis=1)
    assert lengths == pytest.approx(np.ones(SHOWN_ROWS), abs=1e-5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: study_of(*pairs(), normalize=False),
        lambda: study_of(pairs()[0], np.ones((80, 6), np.float32), paired="no"),
    ],
    ids=["not normalised", "constant source"],
)
def test_where_there_is_no_drift_a_sentence_says_why(opened, held, make):
    held.studies["upload:x"] = make()
    at = opened("drift", data="upload:x")
    assert not at.exception
    assert not at.error
    assert "no drift to show" in json.dumps(specs(at)).replace("<br>", " ")
