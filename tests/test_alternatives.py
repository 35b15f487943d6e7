"""The contest of `make bench` at small size: each contestant errs as much as what it computes explains."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import contests
from benchmarks.alternatives import compared, errs_least, extra_memory, over_fastest, run
from benchmarks.contests import CONTESTS, POT_REG, closed_transport, largest_row_error, unit_pair

ROWS, DIM = 2_000, 32


@pytest.fixture(scope="module")
def pair():
    return unit_pair(ROWS, DIM)


def errors_of(contest: str, pair: tuple) -> dict[str, dict[str, float]]:
    entries = compared(contest, *pair, 1, with_memory=False)
    return {name: entry["errors"] for name, entry in entries.items()}


def test_spectra_err_by_their_precision_and_by_what_they_leave_out(pair):
    errors = errors_of("spectrum", pair)
    for name in ("ours", "np.cov, the reference"):
        assert max(errors[name].values()) < 1e-11
    for name in ("NumPy, float32", "IncrementalPCA, all"):
        assert 1e-11 < max(errors[name].values()) < 1e-4
    assert errors["IncrementalPCA, 64"]["eigenvalues"] > 100 * errors["IncrementalPCA, all"]["eigenvalues"]


def test_all_find_the_neighbours_of_float64(pair):
    assert set(errors_of("neighbours", pair)) == set(CONTESTS["neighbours"].works)
    assert all(errors == {"missed": 0} for errors in errors_of("neighbours", pair).values())


def test_a_tied_neighbour_counts_and_a_repeated_one_or_the_query_does_not(monkeypatch):
    monkeypatch.setattr(contests, "K", 2)
    rows = np.eye(4, dtype=np.float32)
    judge = contests.judge_neighbours(rows)
    others = np.array([[1, 2], [3, 2], [0, 3], [2, 0]])
    assert judge(others)["missed"] == 0
    others[0] = [1, 1]
    others[1] = [1, 3]
    assert judge(others)["missed"] == pytest.approx(2 / 8)


def test_transport_is_the_closed_form_within_its_regularisation(pair):
    errors = errors_of("transport", pair)
    assert errors["ours"]["rows"] < 2e-6
    assert errors["POT, float32"]["rows"] < 1e-4
    regularised = closed_transport(*pair, reg=POT_REG)
    found = contests.pot_transport(*pair, np.float64)
    assert largest_row_error(found, regularised, relative=True) < 1e-11
    assert 1e-9 < errors["POT, float64"]["rows"] < 1e-4


def test_realign_errs_by_the_precision_of_its_rows(pair):
    errors = errors_of("realign", pair)
    assert errors["ours"]["rows"] < 5e-7
    assert errors["NumPy, float64"]["rows"] < 1e-7
    assert 1e-7 < errors["NumPy, float32"]["rows"] < 1e-4


def test_the_run_gives_the_whole_table(capsys):
    found = run(600, 400, 16, 1, with_memory=False)
    assert {name: set(entries) for name, entries in found["table"].items()} == {
        name: set(contest.works) for name, contest in CONTESTS.items()
    }
    for entries in found["table"].values():
        for entry in entries.values():
            assert entry["seconds"] > 0
            assert all(np.isfinite(error) and error >= 0 for error in entry["errors"].values())
    printed = capsys.readouterr().out
    assert all(name in printed for contest in CONTESTS.values() for name in contest.works)


def test_memory_is_that_of_one_run(pair):
    source, target = (np.tile(rows, (20, 1)) for rows in pair)
    found = extra_memory("realign", source, target, ("ours",))
    assert set(found) == {"ours"}
    # The result has 40 000 rows of 32 numbers of 4 bytes.
    assert 4 < found["ours"] < 200


def test_ours_is_held_to_float32_and_to_the_fastest_that_errs_no_more():
    def entry(seconds: float, missed: float) -> dict:
        return {"seconds": seconds, "errors": {"missed": missed}}

    entries = {name: entry(1.0, 0.1) for name in CONTESTS["neighbours"].works}
    entries["ours"] = entry(2.0, 0.0)
    assert errs_least("neighbours", entries)
    assert over_fastest(entries) is None
    entries["FAISS flat"] = entry(1.6, 0.0)
    assert over_fastest(entries) == pytest.approx(1.25)
    entries["ours"] = entry(2.0, 0.2)
    assert not errs_least("neighbours", entries)
    assert over_fastest(entries) == pytest.approx(2.0)
