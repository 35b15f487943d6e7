"""The default sample is ready before its first reader asks; what fails in the background stays there."""

import threading

import pytest

from pages.components import settings, sources, warming


@pytest.fixture
def begin(monkeypatch):
    """Start the background work anew and wait for its end."""
    monkeypatch.setattr(warming, "_started", threading.Lock())

    def run() -> None:
        warming.start()
        for thread in threading.enumerate():
            if thread.name == "warming":
                thread.join(60)

    return run


def test_the_default_sample_is_diagnosed(begin):
    sources.sample.clear()
    begin()
    default = settings.SETTINGS["data"].default
    assert default == sources.DEFAULT_SAMPLE
    study = sources.sample(default.removeprefix("sample:"))
    assert study.has_diagnosis(settings.SETTINGS["seed"].default)


def test_it_begins_once(begin, monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "sample", asked.append)
    begin()
    begin()
    assert asked == ["scenes"]


def test_a_failure_is_logged_and_a_page_tries_again(begin, monkeypatch, opened, caplog):
    def fail(name):
        raise OSError("disk")

    with monkeypatch.context() as broken:
        broken.setattr(sources, "sample", fail)
        begin()
    assert "could not be prepared" in caplog.text
    at = opened()
    assert not at.exception
    assert at.metric
