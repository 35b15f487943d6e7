"""Method names, plugins and the device, checked before any embedding is read."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Literal

from realign_core.method_names import BUILT_IN_METHODS
from realign_core.validation import UnusableInput, check_fraction


def check_methods(names: Sequence[str] | None, plugins: Sequence[str]) -> None:
    """Import the plugins and refuse unknown names; torch is imported only where a plugin needs it."""
    load_plugins(plugins)
    if names is None:
        return
    if not names:
        raise UnusableInput(f"--methods is empty; choose from {', '.join(BUILT_IN_METHODS)}")
    known: Sequence[str] = BUILT_IN_METHODS
    if plugins:
        from realign_core.alignment import method_names

        known = method_names()
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UnusableInput(f"there is no method {unknown[0]!r}; choose from {', '.join(known)}")


def load_plugins(modules: Sequence[str]) -> None:
    """Import the modules that register methods, from where Python looks or from the current folder."""
    if modules and os.getcwd() not in sys.path:
        # An installed command has its own folder in front, not the one it is called from.
        sys.path.append(os.getcwd())
    for module in modules:
        try:
            import_module(module)
        except Exception as error:
            missing = isinstance(error, ModuleNotFoundError) and module.startswith(error.name or "-")
            remedy = (
                "name a module (not a file) that Python finds from here" if missing else "mend the module"
            )
            raise UnusableInput(
                f"--plugin {module} cannot be imported: {type(error).__name__}: {error}; {remedy}"
            ) from error


def blockwise_shrinkage(text: str | None) -> Literal["oas"] | float | None:
    """The setting that `--blockwise-shrinkage` names; not given means `oas`, like blockwise's own default."""
    if text is None or text == "oas":
        return "oas"
    if text == "none":
        return None
    try:
        return check_fraction("--blockwise-shrinkage", float(text), low_open=False)
    except ValueError:
        raise UnusableInput(f"--blockwise-shrinkage is {text!r}; give oas, none or a share in 0..1") from None


def check_device(device: str) -> None:
    """Refuse a device that this machine lacks; the CPU needs no look, so torch stays out."""
    if device not in ("auto", "cpu"):
        from realign_core.moments import resolve_device

        resolve_device(device)
