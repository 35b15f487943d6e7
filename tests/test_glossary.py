# ruff: noqa: RUF001  (numbers are set with a true minus and multiplication sign)

import subprocess
import sys

import pytest
import result_cases

from realign_core.comparison import SCORES as COMPUTED
from realign_core.glossary import SCORES, TERMS, aligned, listed, percent, shown, term

CONTAINERS = {
    "dataset",
    "settings",
    "gap",
    "frame",
    "decomposition",
    "shape",
    "residual",
    "shared",
    "isotropic",
}


def paths(found):
    """Every field of the JSON as the glossary names it."""
    for key, value in found.items():
        if key in CONTAINERS:
            yield from (f"{key}.{name}" for name in value)
        elif key == "drift":
            for name, stage in value.items():
                if name in ("anchor", "anchor_trace"):
                    yield from (f"drift.{name}.{part}" for part in stage)
                else:
                    yield f"drift.{name}"
        elif key == "coupling":
            yield from (f"coupling.{name}" for name in value or {})
        elif key == "methods":
            yield from (f"methods.{name}" for method in value.values() for name in method)
        else:
            yield key


@pytest.mark.parametrize("name", ["every", "short"])
def test_every_field_of_the_json_has_an_entry(name):
    missing = sorted({path for path in paths(result_cases.case(name).to_dict()) if path not in TERMS})
    assert not missing


def test_every_score_has_an_entry_and_no_entry_is_of_nothing():
    assert set(SCORES) == set(COMPUTED)
    assert all(term(name) is SCORES[name] for name in COMPUTED)


def test_entries_are_whole():
    for key, entry in TERMS.items():
        assert all((entry.label, entry.formula, entry.range, entry.source)), key
        assert entry.meaning.endswith("."), key
        assert entry.better in ("up", "down", None), key


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError):
        term("no.such.figure")


def test_the_glossary_needs_neither_torch_nor_plotly():
    code = (
        "import sys, realign_core.glossary; sys.exit(bool({'torch', 'plotly', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.85142, "0.851"),
        (0.0, "0"),
        (28.34, "28.3"),
        (3014.2, "3\u202f010"),
        (0.9999, "1.00"),
        (999.7, "1\u202f000"),
        (-0.2735, "\u22120.274"),
        (4.274e6, "4.27\u00a0×\u00a010⁶"),
        (3.2e-7, "3.20\u00a0×\u00a010⁻⁷"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.4714, "47.1\u00a0%"),
        (0.00714, "0.714\u00a0%"),
        (-2.0871, "\u2212209\u00a0%"),
        (0.0, "0\u00a0%"),
        (0.2, "20\u00a0%"),
        (1.0, "100\u00a0%"),
        (None, "–"),
    ],
)
def test_shares_read_as_percentages(share, text):
    assert percent(share) == text


def test_padding_lines_up_decimal_points():
    assert aligned(["1.25", "0.5", "3"]) == ["1.25", "0.5\u2007", "3\u2007\u2007\u2007"]


def test_lists_read_as_sentences():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
