"""Methods by name: the project's own and a user's."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realign_core.alignment.adapted import Adapted
from realign_core.alignment.anchor_trace import AnchorTrace
from realign_core.alignment.anisoalign import AnisoAlign
from realign_core.alignment.base import Aligner
from realign_core.alignment.blockwise import Blockwise
from realign_core.alignment.c3 import C3
from realign_core.alignment.gaussian_ot import GaussianOT
from realign_core.alignment.identity import Identity
from realign_core.alignment.mean_shift import MeanShift
from realign_core.alignment.persistence import read_aligner
from realign_core.alignment.procrustes import Procrustes
from realign_core.alignment.random_target import RandomTarget
from realign_core.alignment.realign import ReAlign
from realign_core.alignment.rotation import Rotation
from realign_core.validation import UnusableInput

_BUILT_IN = (
    Identity, MeanShift, C3, AnchorTrace, ReAlign, Rotation, Blockwise, GaussianOT, AnisoAlign,
    Procrustes, RandomTarget,
)  # fmt: skip
_FACTORIES: dict[str, Callable[..., Any]] = {method.name: method for method in _BUILT_IN}

COMMON_SETTINGS = ("normalize", "seed")
"""Settings that a caller may give to any method; those without them are made without."""


@dataclass(frozen=True)
class Traits:
    """What the comparison and the dashboard must know of a method before they judge it.

    `uses_pairs`: fits on paired rows. `adds_noise`: the map draws noise. `trained`: has a network.
    `fits_mean`: the in-sample centroid is small by construction. `copies_target`: gives target rows back,
    so that in-sample mixing counts duplicates.
    """

    uses_pairs: bool = False
    adds_noise: bool = False
    trained: bool = False
    fits_mean: bool = True
    copies_target: bool = False


def register_method(name: str, factory: Callable[..., Any]) -> None:
    """Let a method of one's own join under `name`.

    `factory(**settings)` gives an object with `fit(source=..., target=...)` and `transform(rows)`; unless it
    is an `Aligner`, both are given float64 tensors of unit rows and may return tensors or arrays. A name
    that is taken, or a class without these two, raises `UnusableInput`.
    """
    if not isinstance(name, str) or not name or any(character in name for character in ", \t\n"):
        raise UnusableInput(f"the method name {name!r} must be text without spaces or commas")
    if name in _FACTORIES:
        raise UnusableInput(f"there is already a method called {name!r}; choose another name")
    if not callable(factory):
        raise UnusableInput(f"the factory of {name!r} cannot be called; give a class or a function")
    if inspect.isclass(factory):
        _check_contract(name, factory)
    _FACTORIES[name] = factory


def method_names() -> tuple[str, ...]:
    """Names of all methods, the project's own first."""
    return tuple(_FACTORIES)


def create(name: str, **settings: Any) -> Any:
    """A fresh, unfitted method; one that is no `Aligner` comes wrapped in `Adapted`.

    Raises `UnusableInput` for an unknown name or setting.
    """
    if name not in _FACTORIES:
        raise UnusableInput(f"there is no method {name!r}; choose from {', '.join(_FACTORIES)}")
    factory = _FACTORIES[name]
    accepted = _accepted(factory)
    normalize = settings.get("normalize", True)
    if accepted is not None:
        settings = {k: v for k, v in settings.items() if k in accepted or k not in COMMON_SETTINGS}
        unknown = [key for key in settings if key not in accepted]
        if unknown:
            raise UnusableInput(
                f"{name} has no setting {', '.join(unknown)}; it has {', '.join(accepted) or 'none'}"
            )
    method = factory(**settings)
    _check_contract(name, method)
    return method if isinstance(method, Aligner) else Adapted(method, name, normalize=normalize)


def traits(method: Any) -> Traits:
    """The traits of a method or of its class; one that says nothing has the defaults."""
    defaults = Traits()
    return Traits(**{key: bool(getattr(method, key, value)) for key, value in vars(defaults).items()})


def map_in_sample(method: Any, rows: Any) -> Any:
    """The fitted source rows mapped, for any method: `transform_in_sample` where it has one."""
    return getattr(method, "transform_in_sample", method.transform)(rows)


def save_aligner(method: Any, folder: str | Path) -> None:
    """Save any method that can be saved; raises `UnusableInput` for one that cannot."""
    if not callable(getattr(method, "save", None)):
        raise UnusableInput(
            f"{type(getattr(method, 'method', method)).__name__} cannot be saved: it has no save(folder); "
            "derive it from realign_core.Aligner, or give it one"
        )
    method.save(folder)


def load_aligner(folder: str | Path) -> Any:
    """The fitted method saved in `folder`. Raises `UnusableInput` where the files are missing or damaged."""
    name, settings, learnt = read_aligner(folder)
    if name not in _FACTORIES:
        raise UnusableInput(
            f"{folder} holds the method {name!r}, which is not registered; call register_method first"
        )
    method = create(name, **settings)
    if not isinstance(method, Aligner):
        raise UnusableInput(f"{name!r} is not derived from realign_core.Aligner, so it cannot be loaded")
    method.restore(learnt, str(folder))
    return method


def _check_contract(name: str, method: Any) -> None:
    missing = [part for part in ("fit", "transform") if not callable(getattr(method, part, None))]
    if missing:
        raise UnusableInput(f"the method {name!r} has no {' and no '.join(missing)}; give it both")


def _accepted(factory: Callable[..., Any]) -> list[str] | None:
    """Names of the settings that a factory takes; None where it takes any."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return []
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return [p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)]
