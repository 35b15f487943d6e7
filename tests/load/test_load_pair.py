"""Which rows a pair uses, when sets are taken for pairs, and what the report says."""

import json
from pathlib import Path

import numpy as np
import pytest
from synthetic import has, pairs

from realign_core.load import EmbeddingPair, load_pair
from realign_core.load.arrays import ArrayRows
from realign_core.load.batches import Batches
from realign_core.load.digests import digests
from realign_core.load.groups import labels_of
from realign_core.load.pairing import pairing_evidence
from realign_core.validation import UnusableInput

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
REAL = DATA / "clip_vitb32_coco500.npy"
needs_real = pytest.mark.skipif(
    not REAL.exists(), reason="the real embeddings beside the project are not there"
)


def unit(rows):
    rows = rows.astype(np.float64)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@needs_real
def test_real_pairs_are_recognised():
    pair = load_pair(REAL)
    report = pair.report
    assert pair.paired
    assert report.pairing_z > 20
    assert report.pairing_t > 20
    x, y = (unit(part) for part in np.load(REAL))
    cosines = x @ y.T
    n = len(x)
    assert report.paired_cosine == pytest.approx(np.trace(cosines) / n, rel=1e-12)
    assert report.shuffled_cosine == pytest.approx(
        (cosines.sum() - np.trace(cosines)) / (n * (n - 1)), rel=1e-12
    )
    assert (report.n_target, report.n_source, report.dim, report.groups) == (500, 500, 512, 500)
    assert has(report, "The target has 500 rows in 512 dimensions")


@needs_real
@pytest.mark.parametrize("seed", range(5))
def test_real_rows_in_another_order_are_not_pairs(seed):
    x, y = np.load(REAL)
    pair = load_pair(x, y[np.random.default_rng(seed).permutation(len(y))])
    assert not pair.paired
    assert pair.report.pairing_z < 4
    assert pair.groups is None
    assert has(pair.report, "treated as unpaired: paired cosine")


@needs_real
def test_real_rows_sorted_by_class_but_misaligned_are_not_pairs():
    # Ten classes of neighbouring images; within each the captions are shifted by one.
    x, y = (unit(part) for part in np.load(REAL))
    generator = np.random.default_rng(0)
    centres = x[generator.choice(len(x), 10, replace=False)]
    label = np.argmax((x - x.mean(axis=0)) @ centres.T, axis=1)
    order = np.argsort(label, kind="stable")
    within = np.concatenate([generator.permutation(order[label[order] == c]) for c in np.unique(label)])
    pair = load_pair(x[order], y[within])
    assert pair.report.pairing_z > 4
    assert pair.report.pairing_t < 4
    assert not pair.paired
    assert load_pair(x[order], y[order]).paired


@needs_real
def test_several_captions_to_an_image_are_still_pairs():
    x, y = np.load(REAL)
    repeated = np.repeat(x[:100], 5, axis=0)
    pair = load_pair(repeated, y)
    assert pair.report.duplicates_target == 400
    own = load_pair(np.repeat(x, 3, axis=0)[:500], np.repeat(y, 3, axis=0)[:500])
    assert own.paired
    assert own.report.groups == 167
    assert has(own.report, "500 pairs form 167 groups")
    np.testing.assert_array_equal(own.groups, np.arange(500) // 3)


def naive_evidence(x, y):
    n = len(x)
    c = unit(x) @ unit(y).T
    centred = c - c.mean(0) - c.mean(1)[:, None] + c.mean()
    z = (np.trace(c) / n - c.mean()) / np.sqrt((centred**2).sum() / (n**2 * (n - 1)))
    differences = []
    for i in range(n):
        near = [j for j in sorted(range(n), key=lambda j: (abs(j - i), j)) if 0 < abs(j - i) <= 30]
        near = [j for j in near if not np.array_equal(x[j], x[i]) and not np.array_equal(y[j], y[i])][:10]
        if near:
            differences.append(c[i, i] - c[i, near].mean())
    differences = np.array(differences)
    return z, differences.mean() / (differences.std(ddof=1) / np.sqrt(len(differences)))


def test_evidence_equals_its_definition():
    x, y = pairs(60)
    x[10:14] = x[9]
    y[30] = y[31]
    x[40:59] = x[39]
    labels = [labels_of(digests(Batches(ArrayRows(part))))[0] for part in (x, y)]
    evidence = pairing_evidence(Batches(ArrayRows(x)), Batches(ArrayRows(y)), *labels, seed=0)
    z, t = naive_evidence(x, y)
    assert evidence.z == pytest.approx(z, rel=1e-10)
    assert evidence.t == pytest.approx(t, rel=1e-10)


def test_z_is_the_exact_permutation_deviation():
    x, y = (unit(part) for part in pairs(12, 3))
    c = x @ y.T
    generator = np.random.default_rng(0)
    means = [c[np.arange(12), generator.permutation(12)].mean() for _ in range(40_000)]
    evidence = load_pair(x, y, paired="yes").report
    deviation = (evidence.paired_cosine - c.mean()) / evidence.pairing_z
    assert deviation == pytest.approx(np.std(means), rel=0.02)


def test_evidence_on_a_sample_of_a_large_set():
    x, y = pairs(8000, 8)
    first, again = load_pair(x, y, seed=1).report, load_pair(x, y, seed=1).report
    assert first == again
    assert first.pairing_z > 50
    assert load_pair(x, y, seed=2).report.pairing_z != first.pairing_z
    assert not load_pair(x, np.roll(y, 1, axis=0)).paired


def test_unpaired_on_request_or_by_count():
    x, y = pairs()
    asked = load_pair(x, y, paired="no")
    assert not asked.paired
    assert asked.report.pairing_z is asked.report.paired_cosine is asked.groups is None
    fewer = load_pair(x, y[:-1])
    assert not fewer.paired
    assert has(fewer.report, "treated as unpaired: 200 target rows and 199 source rows")


def test_declared_pairs_without_evidence_are_kept_with_a_warning():
    x, y = pairs()
    pair = load_pair(x, y[::-1], paired="yes")
    assert pair.paired
    assert has(pair.report, "declared pairs, but the data do not show it")


@pytest.mark.parametrize("n", [2, 3])
def test_tiny_sets_have_no_evidence_to_reach(n):
    x, y = pairs(n)
    assert not load_pair(x, y).paired
    assert load_pair(x, y, paired="yes").paired


def test_bad_rows_go_in_pairs_or_alone():
    x, y = pairs()
    x[3], x[5, 2], y[5], y[8, 0], y[9] = np.nan, np.inf, 0, -np.inf, 1e-170
    pair = load_pair(x, y)
    keep = np.setdiff1d(np.arange(200), [3, 5, 8, 9])
    assert pair.paired
    np.testing.assert_array_equal(np.asarray(pair.target), x[keep])
    np.testing.assert_array_equal(np.asarray(pair.source), y[keep])
    dropped = pair.report.rows_dropped
    reasons = {"NaN": 1, "infinite": 2, "zero norm": 1, "norm out of range": 1}
    assert (dropped.target, dropped.source, dict(dropped.reasons)) == (4, 4, reasons)
    assert has(
        pair.report, "The target has 2 unusable rows (1 NaN, 1 infinite), dropped; first: row 3 of the target"
    )
    alone = load_pair(x, y, paired="no")
    assert (alone.report.rows_dropped.target, alone.report.rows_dropped.source) == (2, 3)
    assert alone.target.shape == (198, 16)


def test_rows_stay_as_they_are_stored():
    x, y = pairs(dtype=np.float16)
    pair = load_pair(x, y)
    assert pair.target.dtype == "float16"
    np.testing.assert_array_equal(np.asarray(pair.target), x)
    assert has(pair.report, "The target is stored in float16: its numbers carry about 3 significant digits.")
    assert has(pair.report, "is not normalised: norms run from")
    assert has(load_pair(x, y, normalize=False).report, "rows are used as they are")
    assert not any("not normalised" in text for text in load_pair(*map(unit, (x, y))).report.warnings)


def test_norms_are_those_of_the_used_rows():
    x, y = pairs()
    x[0] = np.nan
    norms = np.linalg.norm(x[1:], axis=1)
    report = load_pair(x, y).report.norm_target
    assert (report.min, report.mean, report.max) == pytest.approx(
        (norms.min(), norms.mean(), norms.max()), rel=1e-14
    )


def test_a_sample_is_seeded_sorted_and_the_same_for_both(tmp_path):
    x, y = pairs(300, dtype=np.float32)
    np.save(tmp_path / "x.npy", x)
    np.save(tmp_path / "y.npy", y)
    pair = load_pair(tmp_path / "x.npy", tmp_path / "y.npy", max_rows=100, seed=3)
    chosen = np.sort(np.random.default_rng(3).choice(300, 100, replace=False))
    assert pair.paired
    np.testing.assert_array_equal(np.asarray(pair.target), x[chosen])
    np.testing.assert_array_equal(np.asarray(pair.source), y[chosen])
    assert has(pair.report, "The source is a random sample of 100 of its 300 rows (seed 3).")
    whole = load_pair(x, y, max_rows=300)
    assert whole.target.shape == (300, 16)
    apart = load_pair(x, y[:250], max_rows=100)
    assert apart.target.shape == apart.source.shape == (100, 16)


def test_ids_in_another_order_are_matched():
    x, y = pairs()
    order = np.random.default_rng(5).permutation(200)
    write_ids = [f"n{i}" for i in range(200)]
    import pickle
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, rows, ids in (("x", x, write_ids), ("y", y[order], [write_ids[i] for i in order])):
            records = [{"id": key, "embed": row} for key, row in zip(ids, rows, strict=True)]
            Path(folder, f"{name}.pkl").write_bytes(pickle.dumps(records))
        pair = load_pair(f"{folder}/x.pkl", f"{folder}/y.pkl")
        sample = load_pair(f"{folder}/x.pkl", f"{folder}/y.pkl", max_rows=50)
        records[0]["id"] = "other"
        Path(folder, "y.pkl").write_bytes(pickle.dumps(records))
        odd = load_pair(f"{folder}/x.pkl", f"{folder}/y.pkl")
        with pytest.raises(
            UnusableInput, match=r"have different ids \(199 of 200 in .*; give rows with the same ids"
        ):
            load_pair(f"{folder}/x.pkl", f"{folder}/y.pkl", paired="yes")
        records[0]["id"] = records[1]["id"]
        Path(folder, "y.pkl").write_bytes(pickle.dumps(records))
        assert not load_pair(f"{folder}/x.pkl", f"{folder}/y.pkl").paired
    assert pair.paired
    np.testing.assert_array_equal(np.asarray(pair.source), y)
    assert list(pair.ids) == write_ids
    assert has(pair.report, "rows were matched by id")
    assert sample.paired
    np.testing.assert_array_equal(
        np.asarray(sample.source), y[np.isin(x[:, 0], np.asarray(sample.target)[:, 0])]
    )
    assert not odd.paired
    assert has(odd.report, "have different ids")


def test_repeated_ids_in_another_order_cannot_be_matched(tmp_path):
    x, y = pairs(20)
    ids = np.repeat(np.arange(10), 2)
    np.savez(tmp_path / "x.npz", embeddings=x, ids=ids)
    np.savez(tmp_path / "y.npz", embeddings=y[::-1], ids=ids[::-1])
    pair = load_pair(tmp_path / "x.npz", tmp_path / "y.npz")
    assert not pair.paired
    assert has(pair.report, "ids repeat, so rows cannot be matched by id")


def test_a_pair_from_arrays_with_columns():
    x, y = pairs()
    x[2] = np.nan
    pair = EmbeddingPair.from_arrays(
        x, y, ids=range(200), captions=[f"c{i}" for i in range(200)], labels=np.arange(200) % 3
    )
    assert pair.paired
    assert list(pair.ids[:3]) == [0, 1, 3]
    assert pair.captions[2] == "c3"
    assert pair.labels[2] == 0
    assert pair.image_paths is None
    with pytest.raises(UnusableInput, match="the target has 200 rows but 3 ids; give one a row"):
        EmbeddingPair.from_arrays(x, y, ids=[1, 2, 3])
    stacked = EmbeddingPair.from_arrays(np.stack([x, y]))
    np.testing.assert_array_equal(np.asarray(stacked.source), np.asarray(pair.source))


def test_the_report_is_json_with_the_names_of_the_interface():
    x, y = pairs()
    found = json.loads(json.dumps(load_pair(x, y).report.to_dict(), allow_nan=False))
    names = {
        "n_target n_source dim paired paired_cosine shuffled_cosine pairing_z pairing_t groups rows_dropped",
        "norm_target norm_source warnings",
    }
    assert {name for text in names for name in text.split()} <= set(found)
    assert set(found["rows_dropped"]) == {"target", "source", "reasons"}
    assert set(found["norm_target"]) == {"min", "mean", "max"}
