"""Settings outlive a page, travel in the URL, and fall back silently on what no widget could show."""

from __future__ import annotations

import importlib

import pytest
import streamlit as st
from page_tools import address, default_gap, pairs, sentences
from streamlit.runtime.pages_manager import PagesManager

import pages
from pages.components.settings import SETTINGS


def test_a_setting_survives_a_page_switch_and_enters_the_url(opened):
    at = opened("geometry")
    at.slider(key="setting_energy").set_value(0.8).run()
    at.switch_page("pages/drift.py").run()
    at.switch_page("pages/geometry.py").run()
    assert at.slider(key="setting_energy").value == 0.8
    assert address(at)["energy"] == "0.8"


def test_the_url_restores_a_setting_and_defaults_stay_out_of_it(opened):
    at = opened("geometry", energy="0.75")
    assert at.slider(key="setting_energy").value == 0.75
    at.slider(key="setting_energy").set_value(0.99).run()
    assert address(at) == {}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("energy", "high"),
        ("energy", "1.2"),
        ("energy", "nan"),
        ("k", "0"),
        ("k", "1e3"),
        ("split", "2"),
        ("seed", "-1"),
        ("methods", "no_such_method,nor_this"),
        ("sigma", "-3"),
        ("judged", "both"),
        ("kept", "no_such_score"),
        ("method", "<script>"),
        ("row", "x"),
    ],
)
def test_bad_values_fall_back(name, text):
    assert SETTINGS[name].read(text) == SETTINGS[name].default


def test_known_methods_are_kept_from_a_list_with_unknown_ones():
    assert SETTINGS["methods"].read("c3,nothing,realign") == ("c3", "realign")


def test_an_unknown_sample_falls_back_silently(opened):
    at = opened(data="sample:no_such")
    assert not at.error
    assert default_gap() in sentences(at)


def test_k_beyond_the_data_is_brought_into_its_range(opened, held):
    from pages.components.study import Study
    from realign_core.load import EmbeddingPair

    pair = EmbeddingPair.from_arrays(*pairs(n=20))
    held.studies["upload:x"] = Study.of(pair, name="made", origin="upload")
    at = opened(data="upload:x", k="90", row="50")
    assert at.session_state["settings"]["k"] == 19
    assert at.session_state["settings"]["row"] == SETTINGS["row"].default


def test_every_default_reads_back_as_itself():
    for name, setting in SETTINGS.items():
        value = setting.default
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        assert setting.read(text) == value, name


def test_a_page_that_streamlit_found_by_itself_starts_again_under_the_app(monkeypatch):
    class Again(BaseException):
        pass

    def again():
        raise Again

    monkeypatch.setattr(PagesManager, "uses_pages_directory", True)
    monkeypatch.setattr(st, "rerun", again)
    with pytest.raises(Again):
        importlib.reload(pages)
    assert PagesManager.uses_pages_directory is False
    importlib.reload(pages)
