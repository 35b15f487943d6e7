"""A method with a network joins the comparison when it is trained; the others do not wait for it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from pages.components import jobs
from realign_core.comparison import Bench
from tests.pages.page_tools import pairs, sentences

BOTH = {"data": "path:a.npy|b.npy", "methods": "realign,anisoalign"}


@pytest.fixture
def gate(tmp_path, monkeypatch):
    """Holds AnisoAlign back until it is set; `judged` of it names what was judged."""
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))
    for name, rows in zip("ab", pairs(80)):
        np.save(tmp_path / f"{name}.npy", rows)
    event, judge = threading.Event(), Bench.judge
    event.judged = []

    def held_back(self, name, **options):
        if name == "anisoalign":
            assert event.wait(60)
            options = {**options, "steps": 5, "width": 8}
        event.judged.append(name)
        return judge(self, name, **options)

    monkeypatch.setattr(Bench, "judge", held_back)
    yield event
    event.set()


def drawn(at) -> str:
    return " ".join(element.proto.spec for element in at.get("plotly_chart"))


def test_the_others_are_shown_while_a_network_is_trained(opened, gate, monkeypatch, held):
    opened("compare", **{**BOTH, "methods": "realign"})
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.2)
    at = opened("compare", **BOTH)
    assert not at.exception
    assert "AnisoAlign trains a network" in sentences(at)
    assert "ReAlign" in drawn(at)
    assert "AnisoAlign" not in drawn(at)
    assert gate.judged == ["realign"]
    gate.set()
    slot = next(slot for slot in held.jobs if slot.startswith("job_training"))
    assert held.jobs[slot][1].wait(60)
    at = at.run()
    assert not at.exception
    assert "AnisoAlign" in drawn(at)
    assert "trains a network" not in sentences(at)
    assert gate.judged == ["realign", "anisoalign"]


def test_alone_it_is_waited_for_and_marked_as_trained(opened, gate):
    gate.set()
    at = opened("compare", **{**BOTH, "methods": "anisoalign"})
    assert not at.exception
    assert "AnisoAlign" in drawn(at)
    assert "trained" in " ".join(e.value for e in at.get("html")) + sentences(at) + str(at.dataframe)


def test_stopping_the_training_leaves_the_others(opened, gate, monkeypatch, held):
    opened("compare", **{**BOTH, "methods": "realign"})
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.2)
    at = opened("compare", **BOTH)
    next(job for slot, (_, job) in held.jobs.items() if slot.startswith("job_training")).cancel()
    gate.set()
    at = at.run()
    assert "Stopped." in sentences(at)
    assert "ReAlign" in drawn(at)
