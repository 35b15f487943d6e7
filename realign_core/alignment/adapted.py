"""A method of the user's own behind the estimator contract."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from realign_core.load.batches import Batches
from realign_core.moments import float64_blocks


class Adapted:
    """Wraps an object with `fit(source=, target=)` and `transform(rows)`.

    The object always meets float64 tensors `(n, d)`, unit rows unless `normalize` is False, whatever the
    caller holds: arrays, tensors or files, which are read into memory to fit. Its flags and its `save` are
    passed through.
    """

    def __init__(self, method: Any, name: str, *, normalize: bool = True):
        self.method = method
        self.name = name
        self.normalize = normalize

    def __getattr__(self, attribute: str) -> Any:
        if attribute == "method":
            raise AttributeError(attribute)
        return getattr(self.method, attribute)

    def fit(self, *, source: Any, target: Any) -> Self:
        """Fit the wrapped method on rows in memory."""
        self.method.fit(source=self._in_memory(source), target=self._in_memory(target))
        return self

    def transform(self, rows: Any) -> Any:
        """Mapped rows in the type, dtype and device given; `Batches` give a NumPy array."""
        return self._back(self.method.transform(self._in_memory(rows)), rows)

    def transform_in_sample(self, rows: Any) -> Any:
        """Mapped fitting rows, by the wrapped method's own `transform_in_sample` where it has one."""
        mapping = getattr(self.method, "transform_in_sample", self.method.transform)
        return self._back(mapping(self._in_memory(rows)), rows)

    def transform_batches(self, rows: Any) -> Iterator[np.ndarray]:
        """Mapped rows block by block."""
        for block in float64_blocks(rows, normalize=self.normalize):
            yield torch.as_tensor(self.method.transform(block)).cpu().numpy()

    def in_order(self) -> Self:
        """Itself: what the wrapped method keeps between calls is its own affair."""
        return self

    def map(self, rows: Any) -> Iterator[np.ndarray]:
        """The next rows of a set mapped, block by block."""
        return self.transform_batches(rows)

    def skip(self, rows: Any) -> None:
        """Go on behind the next rows, which are mapped all the same: the method may draw for each."""
        for _ in self.transform_batches(rows):
            pass

    def _in_memory(self, rows: Any) -> Tensor:
        return torch.cat(list(float64_blocks(rows, normalize=self.normalize)))

    def _back(self, mapped: Any, rows: Any) -> Any:
        result = torch.as_tensor(mapped)
        if isinstance(rows, Tensor):
            return result.to(device=rows.device, dtype=rows.dtype)
        dtype = rows.dtype if isinstance(rows, np.ndarray) else None
        if isinstance(rows, Batches):
            dtype = np.dtype("float32" if rows.dtype == "bfloat16" else rows.dtype)
        return result.cpu().numpy().astype(dtype or np.float64, copy=False)
