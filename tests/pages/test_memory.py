"""What a session holds: weighed, bounded by bytes, shown, and let go of."""

from __future__ import annotations

import gc
import weakref
from functools import partial

import numpy as np
import pytest
import torch
from page_tools import pairs, sentences

from pages.components import memory, study
from pages.components.memo import Budget, Memo
from pages.components.memory import weigh
from pages.components.study import Study
from realign_core.comparison import Settings
from realign_core.load import EmbeddingPair, load_pair

MB = 1_000_000


def block(megabytes: float) -> np.ndarray:
    return np.zeros(int(megabytes * MB), np.uint8)


def test_numbers_weigh_what_they_take_and_once_however_they_are_held():
    rows = block(2)
    tensor = torch.from_numpy(rows)
    views = {"view": rows[5:], "tensor": tensor, "row": tensor[3:], "again": [rows, (rows,)]}
    assert weigh(views).memory == pytest.approx(2 * MB, abs=5000)
    assert weigh(partial(print, rows), lambda: rows).memory == pytest.approx(2 * MB, abs=5000)
    assert weigh(torch.zeros(500, 500).numpy().T).memory == pytest.approx(MB, abs=5000)


def test_mapped_files_are_not_in_memory(tmp_path):
    for name, rows in zip(("a.npy", "b.npy"), pairs(n=20_000, d=8)):
        np.save(tmp_path / name, rows)
    found = weigh(load_pair(str(tmp_path / "a.npy"), str(tmp_path / "b.npy")))
    assert found.on_disk == pytest.approx(2 * 20_000 * 8 * 4, abs=10_000)
    assert found.memory < 400_000


def test_many_texts_are_estimated():
    captions = np.array([f"a caption of row {i:06d}" for i in range(50_000)], dtype=object)
    assert weigh(captions).memory == pytest.approx(50_000 * (8 + 73), rel=0.2)


def test_results_past_the_budget_go_the_least_recently_used_first():
    budget = Budget(10 * MB)
    first, second = Memo(48, budget), Memo(48, budget)
    for number in range(3):
        first.get(number, lambda: block(3))
    first.get(0, list)
    second.get("late", lambda: block(3.5))
    assert [number in first for number in range(3)] == [True, False, True]
    assert "late" in second
    assert budget.held_by() <= 10 * MB
    for number in range(40):
        second.get(number, lambda: block(2))
        assert budget.held_by() <= 10 * MB
    assert 39 in second
    assert not any(number in first for number in range(3))


def test_what_results_share_counts_once_and_the_rows_not_at_all():
    rows, shared = block(50), block(6)
    memo = Memo(48, Budget(10 * MB, apart=(rows,)))
    for number in range(20):
        memo.get(number, lambda: (shared, rows, []))
    assert all(number in memo for number in range(20))


def test_a_result_that_grew_after_it_was_made_counts_as_it_is():
    budget = Budget(10 * MB)
    benches, others = Memo(2, budget, growing=True), Memo(48, budget)
    benches.get("bench", list).append(block(9))
    assert budget.held_by(benches) == pytest.approx(9 * MB, abs=5000)
    others.get("result", lambda: block(3))
    assert "bench" not in benches


def test_a_result_larger_than_the_budget_is_kept_alone():
    memo = Memo(48, Budget(MB))
    memo.get("small", lambda: block(0.5))
    memo.get("large", lambda: block(3))
    assert "large" in memo
    assert "small" not in memo


def test_a_study_within_a_small_budget_still_answers(monkeypatch):
    monkeypatch.setattr(study, "KEPT_BYTES", 100_000)
    found = Study.of(EmbeddingPair.from_arrays(*pairs(n=200)), name="made", origin="upload")
    for seed in range(3):
        result = found.comparison(Settings(methods=("identity", "realign"), seed=seed))
        assert result.fitted.keys() == {"identity", "realign"}
    assert not found.has_diagnosis(0)


def test_a_study_is_freed_at_once_when_nobody_holds_it():
    found = Study.of(EmbeddingPair.from_arrays(*pairs()), name="made", origin="upload")
    diagnosis = weakref.ref(found.diagnosis(0.9, 0))
    assert diagnosis() is not None
    del found
    assert diagnosis() is None


def test_a_released_study_holds_no_results_though_a_callback_keeps_it():
    found = Study.of(EmbeddingPair.from_arrays(*pairs()), name="made", origin="upload")
    result = weakref.ref(found.comparison(Settings(methods=("identity", "realign"))))
    assert found.holds()["results"] > 0
    found.release()
    gc.collect()
    assert result() is None
    assert found.holds()["results"] == found.holds()["drawings"] == 0
    assert found.diagnosis(0.9, 0) is not None


def test_the_data_page_says_what_is_held_and_how_much_may_be(opened):
    said = sentences(opened())
    assert "Memory. Rows" in said.replace("**", "")
    assert "may reach 1\u202f074 MB" in said or "may reach 1 074 MB" in said
    assert "The server as a whole uses" in said


@pytest.mark.parametrize("text", ["VmRSS:\t  2048 kB\n", "nothing\n"])
def test_the_servers_memory_is_known_without_every_field(tmp_path, monkeypatch, text):
    status = tmp_path / "status"
    status.write_text(text)
    monkeypatch.setattr(memory, "STATUS", status)
    used, words = memory.of_server() or (0, "")
    assert used > MB
    assert words == ("with mapped files" if "VmRSS" in text else "at its highest so far")
