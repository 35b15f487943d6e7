"""What the tracker takes, and the sentence for what it does not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from trajectories import World

import realign_core as rc

WORLD = World.of(n=400)
X, Y = WORLD.rows(WORLD.bias(1), noise_v=np.linspace(0.2, 0.1, 8))
GRADS = np.random.default_rng(5).standard_normal((2, 400, 12)) * np.linspace(2, 1, 12)
PRECISION = {
    torch.float64: 1e-9,
    torch.float32: 1e-4,
    torch.float16: 2e-2,
    torch.bfloat16: 1e-1,
}


def run(x, y, dx, dy, **settings):
    tracker = rc.GapTracker(reference_step=0, **settings)
    tracker.update(0, x, y, dx, dy)
    return tracker.update(1, x * 2, y, dx, dy).as_row()


def close(found, expected, tolerance):
    for name, value in expected.items():
        if name == "sin_theta":
            assert found[name] == pytest.approx(value, abs=1e-6), name
        elif value is not None and "angle" not in name:
            assert found[name] == pytest.approx(value, rel=tolerance, abs=tolerance), name


@pytest.fixture(scope="module")
def expected():
    return run(X, Y, *GRADS)


@pytest.mark.parametrize("dtype", PRECISION)
def test_every_precision_is_read_within_its_own(dtype, expected):
    found = run(*(torch.tensor(a, dtype=dtype) for a in (X, Y, *GRADS)))
    close(found, expected, PRECISION[dtype])


@pytest.mark.parametrize(
    "given",
    [
        lambda a: torch.tensor(a, requires_grad=True),
        lambda a: torch.tensor(a, requires_grad=True) * 1,
        lambda a: np.asfortranarray(a),
        lambda a: a[::-1][::-1],
        lambda a: a.astype(">f8"),
    ],
    ids=["leaf", "computed", "columns", "strides", "foreign byte order"],
)
def test_every_kind_of_array_is_read(given, expected):
    close(run(*map(given, (X, Y, *GRADS))), expected, 1e-9)


def test_what_is_given_stays_as_it_is_and_carries_no_graph():
    rows = [torch.tensor(a, requires_grad=True) for a in (X, Y)]
    before = [row.detach().clone() for row in rows]
    tracker = rc.GapTracker(reference_step=0)
    tracker.update(0, *rows, *map(torch.tensor, GRADS))
    assert all(torch.equal(row, was) for row, was in zip(rows, before))
    assert not tracker.frame.basis.requires_grad
    assert all(row.grad is None for row in rows)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_the_device_of_the_rows_is_where_it_computes(expected):
    found = run(*(torch.tensor(a, device="cuda") for a in (X, Y, *GRADS)))
    close(found, expected, 1e-7)


def test_embeddings_are_scaled_to_unit_length_unless_asked_not_to():
    lengths = np.linspace(1, 9, 400)[:, None]
    assert run(X * lengths, Y, *GRADS) == pytest.approx(run(X, Y, *GRADS), rel=1e-6, abs=1e-6)
    assert run(X * lengths, Y, *GRADS, normalize=False)["gap"] != pytest.approx(run(X, Y, *GRADS)["gap"])


def test_the_scale_of_gradients_cancels():
    small = run(X, Y, *(GRADS * 1e-30))
    assert small == pytest.approx(run(X, Y, *GRADS), rel=1e-9, abs=1e-9)


def with_row(rows, row, value):
    changed = rows.copy()
    changed[row] = value
    return changed


NAN = math.nan
WRONG = {
    "one row": (
        {"image_embeddings": X[:1], "text_embeddings": Y[:1]},
        "image_embeddings are 1 row of 12; at",
    ),
    "rows that do not pair": (
        {"text_embeddings": Y[:99]},
        "400 rows of 12 and text_embeddings 99 rows of 12",
    ),
    "two dimensions": ({"text_embeddings": Y[:, :5]}, "rows must pair"),
    "another dimension": (
        {"image_embeddings": X[:, :5], "text_embeddings": Y[:, :5]},
        "use one tracker a model",
    ),
    "a row that is not a number": (
        {"text_embeddings": with_row(Y, 7, NAN)},
        "text_embeddings: row 7 has length nan",
    ),
    "a row without length": (
        {"image_embeddings": with_row(X, 3, 0)},
        "image_embeddings: row 3 has length 0.0",
    ),
    "whole numbers": ({"image_embeddings": X.astype(int)}, "type int64; give floating-point rows"),
    "a stack": ({"image_embeddings": X[None]}, r"shape \(1, 400, 12\)"),
    "texts": ({"image_embeddings": np.array([["a"]])}, "cannot be read as numbers"),
    "ragged lists": ({"image_embeddings": [[1.0, 2.0], [3.0]]}, "image_embeddings cannot be read as numbers"),
    "a sparse tensor": ({"text_embeddings": torch.tensor(Y).to_sparse()}, "text_embeddings are a sparse"),
    "a tensor without numbers": ({"text_grads": torch.empty(400, 12, device="meta")}, "text_grads are a "),
    "a masked array": (
        {"image_embeddings": np.ma.masked_array(X, mask=X > 0.5)},
        "image_embeddings are a masked array; leave masked rows out",
    ),
    "a masked loss": ({"loss": np.ma.masked}, "a column takes one number a step"),
    "a loss beyond float64": ({"loss": 10**400}, "loss is beyond what float64 holds"),
    "gradients that are not numbers": (
        {"text_grads": with_row(GRADS[1], 2, NAN)},
        "text_grads: row 2 has length nan",
    ),
    "gradients of parameters": (
        {"image_grads": GRADS[0][:, :4]},
        "image_grads have 4 dimensions and the embeddings",
    ),
    "one gradient": ({"image_grads": GRADS[0][:1]}, "image_grads are 1 row of 12"),
    "a step that repeats": ({"step": 5}, "step 5 does not exceed the last one, 5; steps must increase"),
    "half a step": ({"step": 5.5}, "step is 5.5; it must be a whole number"),
    "a column of its own": ({"gap": 1.0}, "gap is a figure of the tracker's own"),
    "losses": ({"loss": np.ones(3)}, "loss is .* a column takes one number a step"),
    "constant sets": (
        {"image_embeddings": X * 0 + 1, "text_embeddings": Y * 0 + 1},
        "both sets are constant",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_used_is_refused_in_words_and_changes_nothing(name):
    changes, message = WRONG[name]
    tracker = rc.GapTracker(reference_step=0)
    tracker.update(5, X, Y)
    with pytest.raises(rc.UnusableInput, match=message):
        tracker.update(**{"step": 6, "image_embeddings": X, "text_embeddings": Y, **changes})
    assert len(tracker.steps) == 1
    after = tracker.update(6, X, Y)
    assert (after.window_steps, after.cob_drift) == (2, pytest.approx(0, abs=1e-12))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"reference_step": -1}, "reference_step is -1"),
        ({"energy": 0}, "energy is 0"),
        ({"window": 0}, "window is 0; it must be at least 1"),
        ({"seed": -1}, "seed is -1; it must be at least 0"),
        ({"seed": "a"}, "seed is 'a'; it must be a whole number"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(rc.UnusableInput, match=message):
        rc.GapTracker(**settings)


@pytest.mark.parametrize(
    "step", [torch.tensor(3), np.int64(3), np.array(3)], ids=["tensor", "int64", "array"]
)
def test_a_step_may_be_a_tensor(step):
    row = rc.GapTracker(reference_step=0).update(step, X, Y)
    assert (row.step, type(row.step)) == (3, int)


def test_a_loss_may_be_a_tensor_or_diverge():
    tracker = rc.GapTracker(reference_step=0)
    row = tracker.update(0, X, Y, loss=torch.tensor(2.0, requires_grad=True), other=float("inf"))
    assert row.scalars == {"loss": 2.0, "other": math.inf}


def test_a_snapshot_without_its_step_is_refused():
    with pytest.raises(rc.UnusableInput, match="snapshot 1 has no step"):
        rc.GapTracker.replay(
            [
                {"step": 1, "image_embeddings": X, "text_embeddings": Y},
                {"image_embeddings": X, "text_embeddings": Y},
            ]
        )
