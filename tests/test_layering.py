"""Imports point one way only, and what must be quick imports nothing heavy."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import HANGING

import realign_core

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "realign_core"
LAYERS = (
    ("validation", "method_names", "checkpoint", "single_thread", "waiting", "memory"),
    ("linalg",),
    ("samples",),
    ("load",),
    ("moments",),
    ("frame",),
    ("diagnostics", "alignment"),
    ("comparison",),
    ("findings", "glossary", "figures"),
    ("report",),
    ("engine",),
    ("cli", "samples.making"),
    ("__main__",),
)
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
# These produce embeddings: they stand beside `load` and may use up to the diagnostics and the alignment,
# which in turn may not use them.
BESIDE = {"encode": LEVEL["diagnostics"] + 0.5, "training": LEVEL["diagnostics"] + 0.5}
APART = (
    ("diagnostics", "alignment"),
    ("alignment", "diagnostics"),
    ("cli", "samples.making"),
    ("samples.making", "cli"),
)
# What makes the samples is a program of its own, not a part of what opens them.
PROGRAMS = ("realign_core.samples.make", "realign_core.samples.making")
OWNERS = {
    "plotly": ("figures", "report"),
    "streamlit": (),
    "open_clip": ("encode", "training"),
    "ray": ("engine",),
}
LONGEST_FILE = 320
OWN_CODE = sorted(
    path
    for folder in ("realign_core", "pages", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
) + [path for path in (ROOT / "app.py",) if path.exists()]


def imports_of(tree: ast.AST, module: str) -> Iterator[tuple[str, bool]]:
    """Dotted names that a module imports, wherever in it, and whether type checkers alone see the import.

    `from realign_core import x` counts as `realign_core.x`, and relative imports are made absolute.
    """
    for_checkers = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        only_types = id(node) in for_checkers
        if isinstance(node, ast.Import):
            yield from ((alias.name, only_types) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.split(".")[: -node.level]
                base = ".".join([*above, *([base] if base else [])])
            if base == "realign_core":
                yield from ((f"realign_core.{alias.name}", only_types) for alias in node.names)
            else:
                yield base, only_types


def layer_of(module: str) -> str:
    """The part of the core that a dotted name belongs to; empty for the package itself."""
    if any(module == name or module.startswith(f"{name}.") for name in PROGRAMS):
        return "samples.making"
    return module.split(".")[1] if "." in module else ""


def faults(source: str, module: str) -> list[str]:
    """What a module of the core imports against the rules, in words."""
    layer = layer_of(module)
    level = BESIDE.get(layer, LEVEL.get(layer))
    found = []
    for name, only_types in imports_of(ast.parse(source), module):
        top, *rest = name.split(".")
        if top in OWNERS and layer not in OWNERS[top]:
            found.append(f"{module} imports {name}")
        if top in ("pages", "app"):
            found.append(f"{module} imports {name}, which uses the core")
        if top != "realign_core" or not rest or only_types or not layer:
            continue
        other = layer_of(name)
        if other == layer or other not in LEVEL.keys() | BESIDE.keys():
            continue
        if (layer, other) in APART:
            found.append(f"{module} imports {name}: the two stand side by side")
        elif level is None:
            found.append(f"{layer} has no place among the layers")
        elif BESIDE.get(other, LEVEL.get(other, 0)) > level:
            found.append(f"{module} imports {name}, which lies to its right")
    return found


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_every_part_of_the_core_has_a_place():
    parts = {
        path.stem
        for path in PACKAGE.iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and path.name != "__init__.py"
    }
    assert parts <= LEVEL.keys() | BESIDE.keys()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_left(path):
    assert faults(path.read_text(encoding="utf-8"), module_of(path)) == []


WRONG = {
    "realign_core.moments": "from realign_core.diagnostics import diagnose",
    "realign_core.load.pair": "def late():\n    import realign_core.comparison.run",
    "realign_core.load.npy": "from realign_core import figures",
    "realign_core.diagnostics.drift": "from realign_core.alignment import ReAlign",
    "realign_core.alignment.base": "from ..diagnostics.drift import measure_drift",
    "realign_core.comparison.run": "import plotly.graph_objects as go",
    "realign_core.figures.shape": "import streamlit as st",
    "realign_core.cli.analyze": "from pages.components import study",
    "realign_core.frame": "import open_clip",
    "realign_core.encode": "from realign_core.comparison import compare",
    "realign_core.training.tracker": "from realign_core.findings import Finding",
    "realign_core.diagnostics.shape": "from realign_core.training.tracker import GapTracker",
    "realign_core.load.passes": "from realign_core.engine.ray_engine import RayEngine",
    "realign_core.cli.methods": "import ray",
    "realign_core.samples": "from realign_core.samples.making.card import make_card",
    "realign_core.cli.align": "from realign_core.samples.make import make",
}
RIGHT = {
    "realign_core.comparison.run": "from realign_core.diagnostics import diagnose",
    "realign_core.figures.shape": "import plotly.graph_objects as go",
    "realign_core.encode": "import open_clip\nfrom realign_core.load import load_pair",
    "realign_core.training.tracker": "from realign_core.diagnostics.shape import measure_shape",
    "realign_core.findings.training": "from realign_core.training.tracked import FIGURES",
    "realign_core.moments": (
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from realign_core.figures import theme"
    ),
    "realign_core.load.pair": "from .batches import Batches\nimport numpy",
    "realign_core.load.opening": "from realign_core.samples import sample_path",
    "realign_core.samples.making.card": "from realign_core.comparison import compare",
}


@pytest.mark.parametrize("module", WRONG)
def test_the_check_sees_an_arrow_that_points_right(module):
    assert faults(WRONG[module], module)


@pytest.mark.parametrize("module", RIGHT)
def test_the_check_lets_the_others_pass(module):
    assert faults(RIGHT[module], module) == []


def test_pages_are_not_imported_by_tests_of_the_core_or_benchmarks():
    for path in (ROOT / "benchmarks").rglob("*.py"):
        names = [name for name, _ in imports_of(ast.parse(path.read_text()), module_of(path))]
        assert not any(name.split(".")[0] in ("pages", "streamlit") for name in names), path


@pytest.mark.parametrize(
    "module",
    [
        "realign_core",
        "realign_core.waiting",
        "realign_core.load",
        "realign_core.encode",
        "realign_core.cli",
        "realign_core.__main__",
    ],
)
def test_importing_imports_nothing_heavy(module):
    heavy = (
        "torch", "plotly", "pandas", "pyarrow", "scipy", "streamlit", "open_clip", "PIL", "fsspec", "ray",
    )  # fmt: skip
    code = f"import sys, {module}; print([name for name in {heavy!r} if name in sys.modules])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    found = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=HANGING, check=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("module", ["realign_core.waiting", "realign_core.cli"])
def test_what_says_how_long_threads_wait_comes_before_numpy(module):
    code = f"import sys, {module}; print('numpy' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", code]
    found = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=HANGING, check=True
    )
    assert found.stdout.strip() == "False"


def test_the_names_known_without_torch_are_those_of_the_registry():
    from realign_core import alignment
    from realign_core.alignment import registry
    from realign_core.method_names import BUILT_IN_METHODS

    assert tuple(method.name for method in registry._BUILT_IN) == BUILT_IN_METHODS
    assert alignment.method_names()[: len(BUILT_IN_METHODS)] == BUILT_IN_METHODS


@pytest.mark.parametrize("name", realign_core.__all__)
def test_every_public_name_resolves(name):
    assert getattr(realign_core, name) is not None
    assert name in dir(realign_core)


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Nope'"):
        _ = realign_core.Nope


def test_no_file_is_long():
    lengths = {str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in OWN_CODE}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}
