"""A study: what it keeps, what it computes anew, and what tells it from another."""

from __future__ import annotations

import gc
import threading
import types
import weakref

import numpy as np
import pytest
from page_tools import pairs

from pages.components import sweeper
from pages.components.memo import Memo
from pages.components.session import Held
from pages.components.study import Study, digest_of
from pages.components.words import plain
from realign_core.checkpoint import checked_by
from realign_core.diagnostics import diagnose
from realign_core.load import EmbeddingPair
from realign_core.validation import UnusableInput


def pair_of(target, source, **options) -> EmbeddingPair:
    return EmbeddingPair.from_arrays(target, source, **options)


def test_the_digest_sees_a_single_row_anywhere():
    target, source = pairs(n=9000, d=4)
    first = digest_of(pair_of(target, source))
    assert first == digest_of(pair_of(target.copy(), source.copy()))
    for row in (0, 4321, 8999):
        other = target.copy()
        other[row, 0] += 1e-3
        assert digest_of(pair_of(other, source)) != first


def test_the_digest_tells_pairs_from_unpaired_and_target_from_source():
    target, source = pairs()
    found = {
        digest_of(pair_of(target, source)),
        digest_of(pair_of(target, source, paired="no")),
        digest_of(pair_of(source, target)),
        digest_of(pair_of(target, source, normalize=False)),
    }
    assert len(found) == 4


def test_another_energy_reads_no_row_again():
    study = Study.of(pair_of(*pairs()), name="made", origin="upload")
    stages = []
    study.diagnosis(0.99, 0, stages.append)
    assert stages
    assert study.has_diagnosis(0)
    again = []
    found = study.diagnosis(0.7, 0, again.append)
    assert again == []
    fresh = diagnose(study.pair, energy=0.7, seed=0)
    assert found.decomposition == fresh.decomposition
    assert found.frame.rank == fresh.frame.rank
    assert found is study.diagnosis(0.7, 0)


def test_another_seed_is_another_diagnosis():
    study = Study.of(pair_of(*pairs()), name="made", origin="upload")
    study.diagnosis(0.9, 0)
    assert not study.has_diagnosis(1)
    assert study.diagnosis(0.7, 1).coupling != study.diagnosis(0.7, 0).coupling


def test_the_slider_never_pushes_out_the_moments():
    study = Study.of(pair_of(*pairs()), name="made", origin="upload")
    for energy in np.linspace(0.5, 0.99, 80):
        study.diagnosis(float(energy), 0)
    assert study.has_diagnosis(0)


def test_a_memo_drops_the_least_recently_used():
    memo = Memo(2)
    for key in "abac":
        memo.get(key, key.upper)
    assert "a" in memo
    assert "b" not in memo


def test_a_memo_makes_one_value_for_two_threads():
    memo, found, made = Memo(4), [], []
    begun, go_on = threading.Event(), threading.Event()

    def make() -> object:
        made.append(object())
        begun.set()
        assert go_on.wait(5)
        return made[-1]

    def look() -> None:
        found.append(memo.get("key", make))

    threads = [threading.Thread(target=look) for _ in range(2)]
    threads[0].start()
    assert begun.wait(5)
    threads[1].start()
    assert memo.get("other", lambda: 1) == 1
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert len(made) == 1
    assert found == [made[0], made[0]]


def test_who_waits_for_a_value_makes_it_where_the_other_fails():
    memo, begun, go_on, told = Memo(4), threading.Event(), threading.Event(), []

    def fail() -> None:
        begun.set()
        assert go_on.wait(5)
        raise UnusableInput("stopped")

    def first() -> None:
        with pytest.raises(UnusableInput):
            memo.get("key", fail)
        told.append("failed")

    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(5)
    threading.Timer(0.1, go_on.set).start()
    assert memo.get("key", lambda: "made") == "made"
    thread.join(5)
    assert told == ["failed"]


def test_who_waits_for_a_value_can_be_stopped():
    memo, begun, go_on = Memo(4), threading.Event(), threading.Event()

    def make() -> int:
        begun.set()
        assert go_on.wait(5)
        return 1

    def stop() -> None:
        raise InterruptedError

    thread = threading.Thread(target=memo.get, args=("key", make))
    thread.start()
    assert begun.wait(5)
    with checked_by(stop), pytest.raises(InterruptedError):
        memo.get("key", make)
    go_on.set()
    thread.join(5)
    assert "key" in memo


@pytest.mark.parametrize(
    "text", ["a_b_c", "*x* [y](z)", "<b>", "$x$", ":red[x]", "`c`", "a~~b~~", "x|y", "#1"]
)
def test_text_from_data_is_no_mark_up(text):
    escaped = plain(text)
    assert escaped.replace("\\", "") == text
    assert escaped != text


def test_plain_text_stays_plain():
    assert plain("Gap: 0.758, 47.8 times (c3).") == "Gap: 0.758, 47.8 times (c3)."


def test_the_sweeper_shuts_down_expired_sessions():
    class Session:
        closed = False

        def shutdown(self):
            self.closed = True

    class Info:
        session = Session()

    class Storage:
        def expire(self):
            return [("id", Info)]

    assert sweeper.sweep(Storage()) == 1
    assert Info.session.closed


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_imported_modules_are_left_out_of_the_collection_after_every_run(thawed, monkeypatch):
    gc.unfreeze()
    monkeypatch.setattr(sweeper.threading.Thread, "start", lambda thread: None)
    sweeper.start.clear()
    sweeper.start()
    assert gc.get_freeze_count() > 100_000
    # What comes later is collected as before.
    assert len(gc.get_objects()) < 10_000
    sweeper.start.clear()


def test_a_sweep_frees_what_was_set_aside_and_died_since(thawed):
    class Session:
        def __init__(self):
            self.runner = self

        def shutdown(self):
            pass

    class Storage:
        def __init__(self):
            self.gone = [("id", types.SimpleNamespace(session=Session()))]

        def expire(self):
            gone, self.gone = self.gone, []
            return gone

    storage = Storage()
    known = weakref.ref(storage.gone[0][1].session)
    gc.freeze()
    sweeper.sweep(storage)
    assert known() is None


def test_what_a_session_let_go_of_is_collected_at_the_next_round(thawed):
    class Ring:
        def __init__(self):
            self.itself = self

        def release(self):
            pass

    held = Held()
    held.studies["path:x"] = Ring()
    known = weakref.ref(held.studies["path:x"])
    gc.freeze()
    held.release()
    assert sweeper.tidy()
    assert known() is None
    assert not sweeper.tidy()
