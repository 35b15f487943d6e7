"""Comparisons of input at the edge of what can be compared: every figure finite or null."""

from __future__ import annotations

import json

import numpy as np
import pytest

import realign_core as rc


def test_rows_off_the_sphere_keep_their_lengths():
    generator = np.random.default_rng(1)
    x, y = generator.standard_normal((2, 90, 5)) * 1e-20
    data = rc.EmbeddingPair.from_arrays(x, y + 3e-20, paired="yes", normalize=False)
    found = rc.compare(data, methods=["mean_shift", "realign"])
    shifted = found.methods["mean_shift"].in_sample
    assert shifted["centroid_gap"] == pytest.approx(0, abs=1e-32)
    assert shifted["trace_ratio"] == pytest.approx(
        found.diagnosis.gap.trace_source / found.diagnosis.gap.trace_target
    )
    assert found.methods["realign"].in_sample["trace_ratio"] == pytest.approx(1)
    assert shifted["anisotropy"] > 1
    assert json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize("kind", ["duplicates", "equal sets", "one dimension", "fewer rows than dimensions"])
def test_degenerate_sets_give_valid_json(kind):
    generator = np.random.default_rng(2)
    x, y = generator.standard_normal((2, 40, 60 if kind.startswith("fewer") else 4))
    if kind == "duplicates":
        x, y = (rows[generator.integers(0, 3, 40)] for rows in (x, y))
    elif kind == "equal sets":
        y = x
    elif kind == "one dimension":
        x, y = x[:, :1], y[:, :1]
    for paired in ("yes", "no"):
        found = rc.compare(rc.EmbeddingPair.from_arrays(x, y, paired=paired), bootstrap=5).to_dict()
        assert json.dumps(found, allow_nan=False)
        if kind == "equal sets":
            assert found["methods"]["identity"]["in_sample"]["centroid_gap"] == pytest.approx(0, abs=1e-15)
