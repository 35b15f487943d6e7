"""The estimator contract: fit on source and target rows, then map source rows.

Rows are `(n, d)`: a NumPy array, a tensor, or a re-iterable of blocks (`Batches`, a list of arrays).
Every row is scaled to unit length first; with `normalize=False` rows are used as they are and nothing is
projected back onto a sphere either. Work runs where the rows lie; float64 statistics of MPS tensors run
on the CPU. Learnt attributes end in `_`: float64 CPU tensors, floats and ints.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self, cast

from torch import Tensor

from realign_core.alignment.persistence import write_aligner
from realign_core.alignment.rows import InOrder, Mapper, block_tensor, map_rows, row_blocks
from realign_core.alignment.statistics import MeanTrace, PassState, Projected
from realign_core.load.passes import total
from realign_core.moments import Moments, moments_of_block, statistics_device
from realign_core.validation import UnusableInput


class Aligner:
    """A map from source rows to target rows, learnt from both.

    A subclass names itself, and says in `_solve` what it learns from the statistics of both sets and in
    `_mapper` how a block is mapped. One that needs further passes over the source overrides `_wants_pass`,
    `_pass_part`, which gives the `pass_form` of a block, and `_end_pass`, which takes that of all rows.
    """

    name: ClassVar[str]
    uses_pairs: ClassVar[bool] = False
    adds_noise: ClassVar[bool] = False
    trained: ClassVar[bool] = False
    fits_mean: ClassVar[bool] = True
    exact_means: ClassVar[bool] = False
    copies_target: ClassVar[bool] = False
    keeps_rows: ClassVar[bool] = False
    pass_form: ClassVar[type[PassState]] = Projected
    row_arrays: ClassVar[frozenset[str]] = frozenset()

    _source: MeanTrace | Moments | None = None
    _target: MeanTrace | Moments | None = None
    _solved = False
    _passing: PassState | None = None

    def __init__(self, *, normalize: bool = True):
        self.normalize = normalize

    @property
    def needs_covariance(self) -> bool:
        """Whether `_solve` gets `Moments`; a subclass may just set it."""
        return False

    def settings(self) -> dict[str, Any]:
        """The settings as given to the constructor."""
        return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings().items())})"

    def fit(self, *, source: Any, target: Any) -> Self:
        """Learn the map from source rows `(n_y, d)` to target rows `(n_x, d)`; returns self.

        Raises `UnusableInput` for fewer than 2 rows, unequal dimensions, rows without a direction, and
        blocks that can be read only once.
        """
        self._reset()
        self._read(source, target)
        self._finish()
        while self.needs_pass:
            self._read_again(source)
        return self

    def _read(self, source: Any, target: Any) -> None:
        if not self.keeps_rows:
            self._source = self._statistics(source, "source")
            self._target = self._statistics(target, "target")
            return
        for block in row_blocks(source, "source"):
            self.partial_fit(source=block)
        for block in row_blocks(target, "target"):
            self.partial_fit(target=block)

    def _statistics(self, rows: Any, label: str) -> MeanTrace | Moments | None:
        """Statistics of all rows of a set, in one pass."""
        row_blocks(rows, label)
        form = Moments if self.needs_covariance else MeanTrace
        known = self._source if self._source is not None else self._target
        part = partial(self._part, label=label, dim=None if known is None else len(known.mean))
        where = statistics_device(rows) if isinstance(rows, Tensor) else None
        ours = type(self)._part is Aligner._part
        found = total(self._name_of_pass(label), (rows,), part, form, where=where, shared=ours)
        return cast("MeanTrace | Moments | None", found)

    def _name_of_pass(self, label: str) -> str:
        """What statistics of a set hang on, so that methods that want the same can share them."""
        wanted = "moments" if self.needs_covariance else f"{'exact ' if self.exact_means else ''}means"
        return f"{wanted} of the {label}{'' if self.normalize else ' as it is'}"

    def _read_again(self, source: Any) -> None:
        row_blocks(source, "source")
        found = total(f"further pass of {self.name}", (source,), self._pass_part_of, self.pass_form)
        self._check_pass(0 if found is None else found.n)
        self._end_pass(found)

    @property
    def _passed(self) -> int:
        """Rows that the current further pass has had."""
        return 0 if self._passing is None else self._passing.n

    def _pass_part_of(self, first_row: int, rows: Any) -> PassState:
        return self._pass_part(first_row, self._block(rows, "source", self.n_features_in_))

    def _check_pass(self, n: int) -> None:
        if n != self.n_source_:
            raise UnusableInput(
                f"{self.name} was fitted on {self.n_source_} source rows and this pass brings "
                f"{n if n < self.n_source_ else 'more'}; give each pass the same rows"
            )

    def partial_fit(self, *, source: Any = None, target: Any = None) -> Self:
        """Add a block of source rows, of target rows, or of both to the statistics.

        Afterwards, while `needs_pass` is true, read all source rows again through `partial_fit_centroid`.
        """
        if self._solved and self._source is None:
            raise UnusableInput(
                f"this {self.name} was loaded from a folder and only maps; make a new one to fit"
            )
        self._unsolve()
        if source is not None:
            self._source = self._accumulate(self._source, source, "source")
        if target is not None:
            self._target = self._accumulate(self._target, target, "target")
        return self

    def partial_fit_centroid(self, *, source: Any) -> Self:
        """Add a block of source rows to the current further pass, which ends with the last fitted row."""
        self._finish()
        if not self._wants_pass():
            raise UnusableInput(f"{self.name} needs no further pass over the source; call transform")
        block, so_far = self._block(source, "source", self.n_features_in_), self._passed
        if not len(block):
            return self
        if so_far + len(block) > self.n_source_:
            self._check_pass(so_far + len(block))
        found = self._pass_part(so_far, block)
        self._passing = found if self._passing is None else self._passing.merge(found)
        if self._passing.n == self.n_source_:
            whole, self._passing = self._passing, None
            self._end_pass(whole)
        return self

    @property
    def needs_pass(self) -> bool:
        """Whether another pass over the source must go through `partial_fit_centroid`."""
        self._finish()
        return self._wants_pass()

    def transform(self, rows: Any) -> Any:
        """Mapped rows, in the type, dtype and device given; `Batches` give a NumPy array.

        Computed in float32 (float64 for float64 rows). Raises `UnusableInput` before `fit` and for
        rows of another dimension.
        """
        return map_rows(rows, self._ready_mapper(), self.name, self.n_features_in_)

    def transform_in_sample(self, rows: Any) -> Any:
        """Mapped fitting rows; differs from `transform` only where a method treats those apart."""
        return self.transform(rows)

    def transform_batches(self, rows: Any) -> Iterator[Any]:
        """Mapped rows block by block, for sets larger than memory."""
        return self.in_order().map(rows)

    def in_order(self) -> InOrder:
        """The map for the parts of a set, which are mapped or passed over one after another."""
        return InOrder(self._ready_mapper(), self.name, self.n_features_in_, self._pass_over)

    def save(self, folder: str | Path) -> None:
        """Write settings and learnt values to `folder` (JSON and safetensors), all or nothing."""
        self._ready_mapper()
        learnt = {key: value for key, value in vars(self).items() if key.endswith("_") and key[0] != "_"}
        write_aligner(folder, self.name, self.settings(), learnt)

    def restore(self, learnt: dict[str, Any], where: str) -> None:
        """Take over saved values; raises `UnusableInput` where they do not fit this method."""
        d = learnt.get("n_features_in_")
        if (
            not isinstance(d, int)
            or not isinstance(learnt.get("mean_source_"), Tensor)
            or any(
                not key.endswith("_") or (isinstance(value, Tensor) and not self._fits(key, value, d))
                for key, value in learnt.items()
            )
        ):
            raise UnusableInput(f"{where}: the saved values do not fit {self.name}; save the method again")
        for key, value in learnt.items():
            setattr(self, key, value)
        self._solved = True
        try:
            self._ready_mapper()
        except (AttributeError, UnusableInput):
            raise UnusableInput(
                f"{where}: the saved values do not fit {self.name}; save the method again"
            ) from None

    def _fits(self, key: str, value: Tensor, d: int) -> bool:
        square = value.shape in ((d,), (d, d))
        return value.shape[-1:] == (d,) if key in self.row_arrays else square

    def _solve(self, source: MeanTrace | Moments, target: MeanTrace | Moments) -> None:
        raise NotImplementedError

    def _mapper(self) -> Mapper:
        raise NotImplementedError

    def _pass_over(self, mapper: Any, rows: int) -> None:
        """Bring a mapper to where it would be behind so many more rows."""
        mapper.skip(rows)

    def _wants_pass(self) -> bool:
        return False

    def _pass_part(self, first_row: int, block: Tensor) -> PassState:
        raise NotImplementedError

    def _end_pass(self, found: Any) -> None:
        raise NotImplementedError

    def _reset(self) -> None:
        self._unsolve()
        self._source = self._target = None

    def _unsolve(self) -> None:
        for key in [key for key in vars(self) if key.endswith("_")]:
            delattr(self, key)
        self._solved = False
        self._passing = None

    def _accumulate(self, so_far: Any, rows: Any, label: str) -> MeanTrace | Moments:
        known = self._source if self._source is not None else self._target
        if not len(rows):
            return so_far
        dim = None if known is None else len(known.mean)
        part = self._part(0 if so_far is None else so_far.n, rows, label=label, dim=dim)
        return part if so_far is None else so_far.merge(part)

    def _part(self, first_row: int, rows: Any, *, label: str, dim: int | None) -> MeanTrace | Moments:
        """Statistics of one block."""
        block = self._block(rows, label, dim)
        if self.needs_covariance:
            where = statistics_device(block)
            return moments_of_block(first_row, block, normalize=self.normalize, where=where, name=label)
        return MeanTrace.of(
            block, normalize=self.normalize, first_row=first_row, name=label, exact=self.exact_means
        )

    def _finish(self) -> None:
        if self._solved:
            return
        if self._source is None and self._target is None:
            raise UnusableInput(f"{self.name} is not fitted; call fit(source=..., target=...) first")
        source, target = self._enough(self._source, "source"), self._enough(self._target, "target")
        self.n_source_, self.n_target_ = source.n, target.n
        self.n_features_in_ = len(source.mean)
        self.mean_source_, self.mean_target_ = source.mean, target.mean
        self._solve(source, target)
        self._solved = True

    def _enough(self, part: MeanTrace | Moments | None, label: str) -> MeanTrace | Moments:
        n = 0 if part is None else part.n
        if part is None or n < 2:
            raise UnusableInput(f"{self.name}: the {label} has {n} row(s); at least 2 are needed")
        if isinstance(part, MeanTrace):
            return dataclasses.replace(part, mean=part.mean.cpu())
        return dataclasses.replace(part, mean=part.mean.cpu(), scatter=part.scatter.cpu())

    def _ready_mapper(self) -> Mapper:
        self._finish()
        if self._wants_pass():
            raise UnusableInput(
                f"{self.name} still needs a pass over the {self.n_source_} source rows "
                f"({self._passed} have come); give them to partial_fit_centroid"
            )
        return self._mapper()

    def _block(self, rows: Any, label: str, dim: int | None) -> Tensor:
        return block_tensor(rows, label, self.name, dim)
