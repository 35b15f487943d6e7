"""What pictures and lists keep of the judged rows: points, spectra, histograms and neighbours."""

from __future__ import annotations

from realign_core.comparison.evaluation import Evaluation
from realign_core.comparison.projection import Projection
from realign_core.comparison.result import MethodView, NeighbourLists, ReferenceView
from realign_core.comparison.scoring import MapScores
from realign_core.linalg import eigenvalues_descending
from realign_core.moments import Moments


def neighbours_of(scores: MapScores) -> NeighbourLists:
    """The neighbours of the mapped rows."""
    assert scores.neighbours is not None, "the scores are complete"
    return NeighbourLists.of(scores.neighbours)


def method_view(shown: MapScores, after: dict[str, NeighbourLists], projection: Projection) -> MethodView:
    """The rows of one side after the map; `after` are the neighbours of each side by its name."""
    retention = shown.source_rows.get("retention")
    assert shown.spectrum is not None, "the scores are complete"
    assert shown.cosines is not None, "the scores are complete"
    return MethodView(
        points=projection.points(shown.mapped, projection.source_rows),
        spectrum=shown.spectrum.cpu().numpy(),
        histogram=shown.cosines.histogram.numpy(),
        retention=None if retention is None else retention.cpu().numpy(),
        after=after,
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
