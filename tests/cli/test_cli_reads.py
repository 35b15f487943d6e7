"""How often a command reads its files: a pass reads each row once, and passes are counted."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from cli_tools import make_pair

from benchmarks.streaming import GRAPHS, JUDGED, PRODUCTS, READS
from realign_core import moments
from realign_core.diagnostics import neighbours
from realign_core.load.arrays import ArrayRows


@pytest.fixture
def reads(monkeypatch):
    """Rows that were read of each file so far."""
    counted: Counter[str] = Counter()
    read, take = ArrayRows.read, ArrayRows.take

    def counted_read(self, start, stop):
        counted[self._name] += min(stop, self.shape[0]) - start
        return read(self, start, stop)

    def counted_take(self, indices):
        counted[self._name] += len(indices)
        return take(self, indices)

    monkeypatch.setattr(ArrayRows, "read", counted_read)
    monkeypatch.setattr(ArrayRows, "take", counted_take)
    return counted


@pytest.fixture
def long_pair(folder):
    n = 40_000
    for name, rows in zip(("t.npy", "s.npy"), make_pair(n)):
        np.save(name, rows.astype("f2"))
    return n


def test_align_reads_the_target_twice_and_the_source_four_times(cli, long_pair, reads):
    assert cli("align", "t.npy", "s.npy", "--out", "z/").status == 0
    assert reads == {"t.npy": 2 * long_pair, "s.npy": 4 * long_pair}
    assert sum(reads.values()) == READS["align"] * long_pair


@pytest.fixture
def graphs(monkeypatch):
    """Shapes of the queries of each product that neighbours were looked up in."""
    found: list[tuple[int, ...]] = []

    def counting(search):
        def counted(queries, *rest):
            found.append(tuple(queries.shape))
            return search(queries, *rest)

        return counted

    for name in ("_searched", "_selected"):
        monkeypatch.setattr(neighbours, name, counting(getattr(neighbours, name)))
    return found


def test_analyze_forms_no_more_products_of_neighbours_than_the_benchmark_counts(cli, long_pair, graphs):
    options = ("--methods", "identity,realign", "--score-rows", "1000", "--bootstrap", "10")
    assert cli("analyze", "t.npy", "s.npy", *options, "--json", "z.json").status == 0
    assert len(graphs) == GRAPHS["analyze"]
    assert {rows for rows, _ in graphs} == {1000}


def test_analyze_forms_no_more_scatters_than_the_benchmark_counts(cli, long_pair, monkeypatch):
    rows, add_gram = [], moments.add_gram

    def counted(total, block):
        rows.append(len(block))
        add_gram(total, block)

    monkeypatch.setattr(moments, "add_gram", counted)
    options = ("--methods", "identity,realign", "--score-rows", "1000", "--bootstrap", "10")
    assert cli("analyze", "t.npy", "s.npy", *options, "--json", "z.json").status == 0
    assert sum(rows) == PRODUCTS["analyze"] * long_pair + JUDGED["analyze"] * 1000


def test_analyze_reads_no_more_than_its_passes(cli, long_pair, reads):
    options = ("--methods", "identity,realign", "--score-rows", "1000", "--bootstrap", "10")
    assert cli("analyze", "t.npy", "s.npy", *options, "--json", "z.json").status == 0
    # Samples to judge on, and evidence for pairs, come to some thousand rows on top.
    assert READS["analyze"] <= sum(reads.values()) / long_pair < READS["analyze"] + 0.5
