"""What pictures and lists keep of the judged rows: points, spectra, histograms and neighbours."""

from __future__ import annotations

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.projection import Projection
from realign_core.comparison.result import MethodView, NeighbourLists, ReferenceView
from realign_core.comparison.scoring import MapScores
from realign_core.linalg import eigenvalues_descending
from realign_core.moments import Moments


def method_view(inside: MapScores, outside: MapScores | None, projection: Projection) -> MethodView:
    """The held-out rows after the map where there are any, else those in-sample; neighbours of both."""
    shown = outside or inside
    retention = shown.source_rows.get("retention")
    assert shown.spectrum is not None, "the scores are complete"
    assert shown.cosines is not None, "the scores are complete"
    return MethodView(
        points=projection.points(shown.mapped, projection.source_rows),
        spectrum=shown.spectrum.cpu().numpy(),
        histogram=shown.cosines.histogram.numpy(),
        retention=None if retention is None else retention.cpu().numpy(),
        after={
            side: NeighbourLists.of(scores.neighbours)
            for side, scores in (("held-out", outside), ("in-sample", inside))
            if scores is not None and scores.neighbours is not None
        },
    )


def reference_view(evaluation: Evaluation, projection: Projection) -> ReferenceView:
    """The target and the untouched source."""
    return ReferenceView(
        target_points=projection.points(evaluation.x, projection.target_rows),
        source_points=projection.points(evaluation.y, projection.source_rows),
        target_spectrum=eigenvalues_descending(evaluation.target_moments.covariance).cpu().numpy(),
        source_spectrum=eigenvalues_descending(Moments.of(evaluation.y).covariance).cpu().numpy(),
        target_histogram=evaluation.target_cosines.histogram.numpy(),
        source_histogram=evaluation.source_cosines.histogram.numpy(),
    )
