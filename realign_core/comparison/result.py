"""What a comparison found: one object behind the table, the JSON and the figures."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from realign_core.comparison.all_rows import AllRowsScore
from realign_core.comparison.intervals import Replicates
from realign_core.comparison.projection import Projection
from realign_core.comparison.scoring import COLLAPSED_BELOW, SCORES
from realign_core.comparison.settings import Settings
from realign_core.comparison.side import SideScores
from realign_core.comparison.usefulness import UNTOUCHED, differences
from realign_core.comparison.zero_shot import ClassCounts
from realign_core.diagnostics.diagnosis import Diagnosis
from realign_core.diagnostics.drift_path import DriftPath
from realign_core.diagnostics.neighbours import Neighbours
from realign_core.load.report import LoadReport

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1

Values = dict[str, float | None]


@dataclass(frozen=True)
class NeighbourLists:
    """The nearest rows of each judged source row, nearest first: places among them and cosines, `(n, w)`."""

    places: np.ndarray
    cosines: np.ndarray

    @classmethod
    def of(cls, found: Neighbours) -> NeighbourLists:
        """The lists in a quarter of the memory."""
        return cls(found.indices.to(torch.int32).cpu().numpy(), found.cosines.to(torch.float32).cpu().numpy())


@dataclass(frozen=True)
class JudgedRows:
    """Numbers of the judged rows in both sets, and the source's neighbours before any map."""

    target: np.ndarray
    source: np.ndarray
    before: NeighbourLists


@dataclass(frozen=True)
class MethodView:
    """What pictures of a method show, of the held-out rows where there are any.

    `points` `(m, 3)` are the projection's shown rows after the map, `spectrum` `(d,)` the eigenvalues of
    the mapped covariance, `histogram` `(200,)` the counts of pairwise cosines, `retention` the share of
    neighbours that each judged row kept (None where k is too large). `after` holds the neighbours of the
    mapped rows, `"in-sample"` and, where there is one, `"held-out"`.
    """

    points: np.ndarray
    spectrum: np.ndarray
    histogram: np.ndarray
    retention: np.ndarray | None
    after: dict[str, NeighbourLists] = field(default_factory=dict)


@dataclass(frozen=True)
class MethodResult:
    """Scores of one method. `held_out` is None with fewer than 10 judged rows.

    `all_rows` are scores of `Settings.queries` source rows against all rows, where they were asked for.
    """

    name: str
    in_sample: Values
    held_out: Values | None
    interval: dict[str, tuple[float, float]]
    uses_pairs: bool
    adds_noise: bool
    trained: bool
    seconds: dict[str, float]
    replicates: dict[str, Replicates]
    view: MethodView
    all_rows: dict[str, AllRowsScore] | None = None

    @property
    def collapsed(self) -> bool:
        """Whether the mapped rows have shrunk to under a fifth of the target's variance."""
        ratio = (self.held_out or self.in_sample).get("trace_ratio")
        return ratio is not None and ratio < COLLAPSED_BELOW

    @property
    def shown_scores(self) -> SideScores:
        """Held-out scores, in-sample ones where there are none."""
        return SideScores(self.held_out or self.in_sample, self.interval, self.replicates)

    def held(self, score: str) -> float | None:
        """The held-out value of a score, None where there is none."""
        return (self.held_out or {}).get(score)


@dataclass(frozen=True)
class Untouched:
    """Scores of the source before any map, on the rows and resamples that methods are judged on.

    `in_sample` is empty where only the held-out rows were looked at.
    """

    held_out: Values
    in_sample: Values
    replicates: dict[str, Replicates]


@dataclass(frozen=True)
class ReferenceView:
    """Points, spectrum and cosine histogram of the target and of the untouched source, as in `MethodView`."""

    target_points: np.ndarray
    source_points: np.ndarray
    target_spectrum: np.ndarray
    source_spectrum: np.ndarray
    target_histogram: np.ndarray
    source_histogram: np.ndarray


@dataclass(frozen=True)
class Comparison:
    """The full analysis of one pair of sets. A method that could not be fitted is None, with a warning.

    `baseline` holds what the untouched source reads where `identity` is not among the methods; `classes`
    the classes of zero-shot, `"held_out"` and `"in_sample"`, as far as these data have any.
    """

    settings: Settings
    device: str
    normalize: bool
    dataset: LoadReport
    diagnosis: Diagnosis
    methods: dict[str, MethodResult | None]
    reference: Values
    projection: Projection
    view: ReferenceView
    judged: dict[str, int]
    warnings: tuple[str, ...]
    seconds: dict[str, float]
    drift_path: DriftPath | None = None
    rows: dict[str, JudgedRows] = field(default_factory=dict)
    baseline: Untouched | None = None
    classes: dict[str, ClassCounts] = field(default_factory=dict)

    @property
    def fitted(self) -> dict[str, MethodResult]:
        """The methods that could be fitted."""
        return {name: method for name, method in self.methods.items() if method is not None}

    @property
    def untouched(self) -> Untouched | None:
        """The untouched source's scores; None for unpaired sets and without held-out rows."""
        method = self.methods.get(UNTOUCHED)
        if method is None or not method.held_out:
            return self.baseline
        return Untouched(method.held_out, method.in_sample, method.replicates)

    def difference(self, first: str, second: str, score: str) -> tuple[float, float, float] | None:
        """Held-out `first - second` with its 95 % interval from shared resamples; None without both.

        The centroid gap's interval is for the debiased gap, so its resampled difference is too.
        """
        a, b = self.methods.get(first), self.methods.get(second)
        if a is None or b is None or not (score in a.replicates and score in b.replicates):
            return None
        left, right = a.held(score), b.held(score)
        if left is None or right is None:
            return None
        point = left - right
        low, high = a.replicates[score].minus(b.replicates[score]).interval(point)
        return point, low, high

    def resolved(self, first: str, second: str, score: str) -> bool:
        """Whether the sample tells the two methods apart: the interval of the difference excludes 0."""
        found = self.difference(first, second, score)
        return found is not None and (found[1] > 0 or found[2] < 0)

    def table(self) -> pd.DataFrame:
        """A row a method: `held_out_SCORE`, its `_low` and `_high`, then `in_sample_SCORE`."""
        # Imported here: whoever wants no table need not wait for it.
        import pandas as pd

        rows = {}
        for name, method in self.methods.items():
            row: dict[str, Any] = {}
            for score in SCORES:
                row[f"held_out_{score}"] = method and method.held_out and method.held_out[score]
                low, high = (method and method.interval.get(score)) or (None, None)
                row[f"held_out_{score}_low"], row[f"held_out_{score}_high"] = low, high
            for score in SCORES:
                row[f"in_sample_{score}"] = method and method.in_sample[score]
            rows[name] = row
        table = pd.DataFrame.from_dict(rows, orient="index").astype("float64")
        return table.rename_axis("method").dropna(axis="columns", how="all")

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `analyze`, schema version 1."""
        from realign_core import __version__

        found = self.diagnosis
        against = differences(self)
        return {
            "schema_version": SCHEMA_VERSION,
            "tool": {"name": "gapscope", "version": __version__},
            "settings": {
                **self.settings.to_dict(),
                **self.dataset.settings,
                "device": self.device,
                "normalize": self.normalize,
            },
            "seconds": self.seconds,
            "dataset": {**self.dataset.to_dict(), "warnings": list(self.warnings)},
            "judged": self.judged,
            "gap": asdict(found.gap),
            "frame": {
                "rank": found.frame.rank,
                "energy": found.frame.energy,
                "eigenvalues": found.frame.eigenvalues.tolist(),
            },
            "decomposition": asdict(found.decomposition),
            "shape": asdict(found.shape),
            "residual": asdict(found.residual),
            "shared": asdict(found.shared),
            "isotropic": asdict(found.isotropic),
            "drift": asdict(found.drift),
            "coupling": found.coupling and asdict(found.coupling),
            "reference": self.reference,
            "classes": {side: asdict(counts) for side, counts in self.classes.items()} or None,
            "methods": {
                name: method
                and {
                    **_method_dict(method),
                    "differences": {
                        score: {"untouched": d.before, "change": d.change, "interval": [d.low, d.high]}
                        for score, d in against.get(name, {}).items()
                    },
                }
                for name, method in self.methods.items()
            },
        }


def _method_dict(method: MethodResult) -> dict[str, Any]:
    kept = {f.name: getattr(method, f.name) for f in fields(method)}
    for name in ("name", "replicates", "view"):
        del kept[name]
    kept["interval"] = {score: list(bounds) for score, bounds in method.interval.items()}
    kept["all_rows"] = method.all_rows and {
        score: {"value": found.value, "interval": [found.low, found.high]}
        for score, found in method.all_rows.items()
    }
    return {**kept, "collapsed": method.collapsed}
