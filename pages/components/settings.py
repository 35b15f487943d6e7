"""Settings that outlive a page and travel in the URL.

A widget's own state ends when its page is left; these values do not. Each has a name, a default and a
parser that falls back silently on a bad URL.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st

from realign_core.alignment import method_names
from realign_core.glossary import SCORES
from realign_core.load import LoadReport

STORE = "settings"


@dataclass(frozen=True)
class Setting:
    """A default, and how to read a value from text; `check` refuses what the page could not show."""

    default: Any
    parse: Callable[[str], Any]
    check: Callable[[Any], bool] = lambda value: True

    def read(self, text: str) -> Any:
        """The value that `text` means, or the default."""
        try:
            value = self.parse(text)
        except ValueError:
            return self.default
        return value if self.check(value) else self.default


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name in method_names())
    if not names:
        raise ValueError("no known method")
    return names


def _between(low: float, high: float) -> Callable[[float], bool]:
    return lambda value: low <= value <= high


SETTINGS: dict[str, Setting] = {
    "data": Setting("sample:scenes", str),
    "energy": Setting(0.99, float, _between(0.5, 0.999)),
    "k": Setting(10, int, _between(1, 100)),
    "split": Setting(0.5, float, _between(0.1, 0.9)),
    "seed": Setting(0, int, _between(0, 2**31)),
    "methods": Setting(("identity", "c3", "blockwise", "realign"), _names),
    "sigma": Setting(1.0, float, _between(0.0, 100.0)),
    "shrinkage": Setting(-1.0, float, _between(-1.0, 1.0)),
    "judged": Setting("held-out", str, lambda value: value in ("held-out", "in-sample")),
    "kept": Setting("omega", str, SCORES.__contains__),
    "reached": Setting("entropy_mixing_target", str, SCORES.__contains__),
    "curves": Setting("none", str, lambda value: value in ("none", "quick", "all")),
    "colour": Setting("modality", str, lambda value: value in ("modality", "label")),
    "method": Setting("realign", str, lambda value: value in method_names()),
    "row": Setting(-1, int, lambda value: value >= -1),
    "run": Setting("", str),
    "t0": Setting(-1, int, lambda value: value >= -1),
    "plane": Setting("gap", str, lambda value: value in ("gap", "spread")),
    "steps": Setting("linear", str, lambda value: value in ("linear", "log")),
}


def get(name: str) -> Any:
    """The current value of a setting."""
    return _store()[name]


def put(name: str, value: Any) -> None:
    """Set a value for every page."""
    _store()[name] = value


def choose(name: str, value: Any) -> None:
    """Set a value from a button, so that the widget which is bound to it follows."""
    put(name, value)
    st.session_state[f"setting_{name}"] = value


def fit(report: LoadReport) -> None:
    """Bring what this data cannot serve back into its range."""
    rows = min(report.n_target, report.n_source)
    put("k", max(1, min(get("k"), rows - 1)))
    if get("row") >= rows:
        put("row", SETTINGS["row"].default)


def bind(
    name: str,
    widget: Callable[..., Any],
    *args: Any,
    to_widget: Callable[[Any], Any] | None = None,
    from_widget: Callable[[Any], Any] | None = None,
    **kwargs: Any,
) -> Any:
    """Show `widget` for a setting and return the setting's value.

    `to_widget` and `from_widget` translate where widget and setting speak of different values.
    """
    key = f"setting_{name}"
    back = from_widget or (lambda value: value)
    value = get(name)
    # Said on every run: a first run that is cut short would leave the browser with the widget's own default.
    st.session_state[key] = to_widget(value) if to_widget else value

    def keep() -> None:
        put(name, back(st.session_state[key]))

    widget(*args, key=key, on_change=keep, **kwargs)
    keep()
    return get(name)


def in_url() -> dict[str, str]:
    """Every setting that differs from its default, as text."""
    return {name: _text(get(name)) for name, setting in SETTINGS.items() if get(name) != setting.default}


def _text(value: Any) -> str:
    return (
        ",".join(value)
        if isinstance(value, tuple)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _store() -> dict[str, Any]:
    if STORE not in st.session_state:
        given = st.query_params
        st.session_state[STORE] = {
            name: setting.read(given[name]) if name in given else setting.default
            for name, setting in SETTINGS.items()
        }
    return st.session_state[STORE]
