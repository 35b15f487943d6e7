"""A pretended CUDA device: tensors that say they lie there, computed on the CPU, as strict as the real one.

What would break on a GPU breaks here too: an operation that mixes devices, a tensor made on the CPU by a
factory that was given no device, `numpy()` of what lies elsewhere. What crosses over and each wait for a
scalar is counted. Speed, memory and the kernels' own rounding are not shown; that takes a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar
from unittest.mock import patch

import torch
from torch import Tensor
from torch.utils._mode_utils import no_dispatch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

CUDA = torch.device("cuda", 0)
aten = torch.ops.aten


class Elsewhere(Tensor):
    """A tensor whose device is `cuda:0` and whose numbers lie in `held`, on the CPU."""

    held: Tensor
    mode: ClassVar[Pretended]

    @staticmethod
    def __new__(cls, held: Tensor) -> Elsewhere:
        made = Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, device=CUDA,
        )  # fmt: skip
        made.held = held
        return made

    def tolist(self) -> Any:
        """As of a real device: all numbers come over."""
        self.mode.moved.append((self.numel(), self.dtype))
        return self.held.tolist()

    def __repr__(self) -> str:
        return f"Elsewhere({self.held!r})"

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise RuntimeError(f"{func} outside of the pretended device")


class Pretended(TorchDispatchMode):
    """While active, `cuda` is this pretended device.

    `moved` and `sent` list how many numbers of which type came from it and went to it, a tensor each;
    `scalars` counts the single numbers that were waited for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.moved: list[tuple[int, torch.dtype]] = []
        self.sent: list[tuple[int, torch.dtype]] = []
        self.scalars = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        flat = list(_tensors((args, kwargs)))
        there = [value for value in flat if isinstance(value, Elsewhere)]
        here = [value for value in flat if not isinstance(value, Elsewhere)]
        asked = kwargs.get("device")
        if func is aten._local_scalar_dense.default and there:
            self.scalars += 1
        if asked is not None:
            kwargs["device"] = torch.device("cpu")
        plain_args, plain_kwargs = tree_map(_plain, args), tree_map(_plain, kwargs)
        crosses = func in (aten._to_copy.default, aten.copy_.default)
        if there and here and not crosses:
            # Indices may lie on the CPU on a real device too, and scalars of no dimension.
            odd = [value for value in here if value.dim() > 0]
            if odd and func not in (aten.index.Tensor, aten.index_put_.default, aten.index_put.default):
                raise RuntimeError(
                    f"{func} mixes {CUDA} with the CPU: {[(tuple(v.shape), v.dtype) for v in odd]}"
                )
        found = func(*plain_args, **plain_kwargs)
        if there and torch.Tag.inplace_view in func.tags:
            # `squeeze_` and its like give a tensor another shape, which the outer one takes on as well.
            with no_dispatch():
                func(*args, **kwargs)
            return args[0]
        if func is aten.copy_.default and len(flat) == 2:
            self._count(flat[1], isinstance(flat[0], Elsewhere))
        to_there = bool(there) if asked is None else torch.device(asked).type == "cuda"
        if func is aten._to_copy.default and asked is not None:
            self._count(flat[0], to_there)
        if not to_there:
            return found
        # An operation in place gives back the very tensor that it was given.
        known = {id(value.held): value for value in there}

        def wrapped(value: Any) -> Any:
            if not isinstance(value, Tensor):
                return value
            same = known.get(id(value))
            return Elsewhere(value) if same is None else same

        return tree_map(wrapped, found)

    @property
    def largest_moved(self) -> int:
        """Numbers in the largest tensor that came over."""
        return max((size for size, _ in self.moved), default=0)

    def _count(self, value: Tensor, to_there: bool) -> None:
        if isinstance(value, Elsewhere) and not to_there:
            self.moved.append((value.numel(), value.dtype))
        elif not isinstance(value, Elsewhere) and to_there:
            self.sent.append((value.numel(), value.dtype))


def _plain(value: Any) -> Any:
    return value.held if isinstance(value, Elsewhere) else value


def _tensors(value: Any) -> Iterator[Tensor]:
    leaves, _ = torch.utils._pytree.tree_flatten(value)
    return (leaf for leaf in leaves if isinstance(leaf, Tensor))


@contextmanager
def pretended() -> Iterator[Pretended]:
    """The device, with nothing counted yet."""
    torch._C._ensureCUDADeviceGuardSet()
    # torch looks for a driver wherever a device is named `cuda`.
    no_driver = patch.object(torch.cuda, "_lazy_init", lambda: None)
    is_there = patch.object(torch.cuda, "is_available", lambda: True)
    # Otherwise an index list is sent to a device without asking a mode.
    before = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)
    try:
        with no_driver, is_there, torch.no_grad(), Pretended() as mode:
            Elsewhere.mode = mode
            yield mode
    finally:
        torch._C._set_only_lift_cpu_tensors(before)


def there(rows: Tensor) -> Tensor:
    """A tensor on the pretended device with the numbers of `rows`."""
    return Elsewhere(rows.clone())


def back(rows: Tensor) -> Tensor:
    """The numbers of a tensor on the pretended device, not counted as a move."""
    assert isinstance(rows, Elsewhere), f"the result lies on {rows.device}, not on {CUDA}"
    return rows.held
