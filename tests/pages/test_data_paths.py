"""Server paths: offered where the operator allows them, and never outside the folder that was named."""

from __future__ import annotations

import numpy as np
import pytest
from page_tools import default_gap, look_at, pairs, sentences

from pages.components import sources
from realign_core.validation import UnusableInput


def test_no_server_path_where_the_operator_allows_none(opened, monkeypatch):
    monkeypatch.delenv(sources.DATA_ROOT, raising=False)
    at = opened()
    assert "Server path" not in [tab.label for tab in at.tabs]


def at_path(opened, monkeypatch, root, target, source=""):
    monkeypatch.setenv(sources.DATA_ROOT, str(root))
    at = look_at(opened(), "Server path")
    at.text_input(key="path_target").set_value(target)
    at.text_input(key="path_source").set_value(source)
    at.run()
    return at.button(key="path_open").click().run()


def test_opens_a_path_under_the_operators_folder_and_again_from_the_url(opened, held, tmp_path, monkeypatch):
    for name, rows in zip(("im|age.npy", "text.npy"), pairs()):
        np.save(tmp_path / name, rows)
    at = at_path(opened, monkeypatch, tmp_path, "im|age.npy", "text.npy")
    assert not at.error
    assert "im|age.npy and text.npy · 80 pairs" in sentences(at)
    link = at.session_state["settings"]["data"]
    held.release()
    again = opened(data=link)
    assert "im|age.npy and text.npy · 80 pairs" in sentences(again)
    assert str(tmp_path) not in sentences(again)


@pytest.mark.parametrize("target", ["../secret.npy", "/etc/passwd", "link.npy", "linked/secret.npy"])
def test_paths_and_links_out_of_the_folder_are_refused(opened, tmp_path, monkeypatch, target):
    root = tmp_path / "root"
    root.mkdir()
    np.save(tmp_path / "secret.npy", np.stack(pairs()))
    (root / "link.npy").symlink_to(tmp_path / "secret.npy")
    (root / "linked").symlink_to(tmp_path)
    at = at_path(opened, monkeypatch, root, target)
    (error,) = at.error
    assert "lies outside the folder that this server may read" in error.value.replace("\\", "")
    assert default_gap() in sentences(at)


@pytest.mark.parametrize(
    "url",
    [
        "memory://x.npy",
        "https://127.0.0.1:9/x.npy",
        "file:///etc/passwd",
        "s3://b/x",
        "SimpleCache::memory://x",
    ],
)
def test_urls_are_refused_as_server_paths(opened, tmp_path, monkeypatch, url):
    at = at_path(opened, monkeypatch, tmp_path, url)
    (error,) = at.error
    assert "is a URL; this server opens no others than files inside its folder" in error.value.replace(
        "\\", ""
    )
    monkeypatch.setenv(sources.DATA_ROOT, str(tmp_path))
    for call in (sources.allowed_path, sources._keyed):
        with pytest.raises(UnusableInput, match="is a URL"):
            call(url)


def test_a_missing_path_is_a_sentence(opened, tmp_path, monkeypatch):
    at = at_path(opened, monkeypatch, tmp_path, "nothing.npy")
    (error,) = at.error
    assert error.value.replace("\\", "") == "nothing.npy does not exist; check the path"


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("path:", "names no file"),
        ("path:||", "names no file"),
        ("path:a.npy|b.npy|c.npy", "names no file"),
        ("path:a\0b.npy", "cannot be the name of a file"),
        ("path:" + "a" * 5000, "cannot be the name of a file"),
        ("path:ring", "cannot be the name of a file"),
        ("nonsense", "no longer holds"),
    ],
)
def test_a_link_to_what_cannot_be_a_file_is_a_sentence_and_leaves_the_page(
    opened, tmp_path, monkeypatch, link, words
):
    (tmp_path / "ring").symlink_to(tmp_path / "ring")
    monkeypatch.setenv(sources.DATA_ROOT, str(tmp_path))
    at = opened(data=link)
    assert not at.exception
    assert words in at.error[0].value
    assert len(at.error[0].value) < 300
    at.button(key="open_scenes").click().run()
    assert default_gap() in sentences(at)


def test_an_unforeseen_failure_to_read_is_a_sentence_and_is_not_tried_again(
    opened, held, tmp_path, monkeypatch
):
    calls = []

    def broken(*paths, **options):
        calls.append(paths)
        raise KeyError("secret")

    monkeypatch.setattr(sources, "load_pair", broken)
    at = at_path(opened, monkeypatch, tmp_path, "any.npy")
    assert not at.exception
    assert "failed unexpectedly" in at.error[0].value
    assert "secret" not in at.error[0].value
    assert default_gap() in sentences(at)
    at.run()
    assert not at.error
    assert len(calls) == 1
    direct = opened(data="path:any.npy")
    assert not direct.exception
    assert "failed unexpectedly" in direct.error[0].value


def test_a_file_that_shrinks_after_it_was_opened_is_named_without_its_folder(opened, tmp_path, monkeypatch):
    for name, rows in zip(("image.npy", "text.npy"), pairs(n=400)):
        np.save(tmp_path / name, rows)
    at = at_path(opened, monkeypatch, tmp_path, "image.npy", "text.npy")
    with (tmp_path / "text.npy").open("r+b") as file:
        file.truncate(2000)
    at.switch_page("pages/compare.py").run()
    assert not at.exception
    assert "became shorter" in at.error[0].value
    assert str(tmp_path) not in at.error[0].value.replace("\\", "")
