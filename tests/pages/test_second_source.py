"""Geometry's second source, and what the bundled samples bring along: cards and pictures."""

from __future__ import annotations

import base64
import pickle
from dataclasses import replace

import numpy as np
import pytest
from page_tools import npy, pairs, sample_diagnosis, sentences

from pages.components import sample_cards, sources, thumbnails
from pages.components.study import Study
from realign_core.glossary import shown
from realign_core.load import EmbeddingPair
from realign_core.samples import sample_card, sample_names, sample_pictures


@pytest.fixture
def made(opened, held):
    """The Geometry page on pairs of our own."""
    pair = EmbeddingPair.from_arrays(*pairs())
    held.studies["upload:x"] = Study.of(pair, name="made", origin="upload")
    return opened("geometry", data="upload:x")


def choose(at, way):
    return next(box for box in at.selectbox if box.label == "Second source").set_value(way).run()


def table(at):
    return next(found.value for found in at.table if "Gap to the target" in found.value.columns)


def test_the_default_sample_stands_beside_its_long_captions_at_once(opened):
    at = opened("geometry")
    assert not at.exception
    assert not at.error
    short, long = (sample_diagnosis(name) for name in ("scenes", "scenes-long"))
    rows = table(at).set_index("Set")
    assert list(rows.index) == ["the target", "short captions", "long captions"]
    for name, found in (("short captions", short), ("long captions", long)):
        assert rows.loc[name, "Gap to the target"] == shown(found.gap.centroid_distance)
        assert rows.loc[name, "Effective rank"] == shown(found.shared.effective_rank_source)
    assert "By effective rank" in sentences(at)
    assert "57.5 for images, 52.9 for long and 41.0 for short" in sentences(at)


def test_other_data_waits_for_a_choice_and_then_reads_an_upload(made):
    at = made
    assert "Other texts to the same target rows" in sentences(at)
    choose(at, "a file to upload")
    at.file_uploader[0].upload("other.npy", npy(pairs(gap=3.0)[1])).run()
    assert not at.error
    assert list(table(at)["Set"])[1:] == ["the source in use", "the second source"]
    assert "reports effective ranks" not in sentences(at)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("wide.npy", npy(pairs(d=7)[1]), "wide.npy has 7"),
        ("broken.npy", b"nothing", "broken.npy"),
        ("p.pt", pickle.dumps({"x": 1}, protocol=4), "p.pt"),
    ],
)
def test_a_bad_second_source_is_a_sentence_and_the_page_stays(made, name, content, told):
    at = choose(made, "a file to upload")
    at.file_uploader[0].upload(name, content).run()
    assert not at.exception
    (error,) = at.error
    assert told in error.value.replace("\\", "")
    assert "gapscope-" not in error.value.replace("\\", "")
    assert "Four parts of the gap" in sentences(at)


def test_rows_left_out_of_the_second_source_are_said(made):
    source = pairs()[1]
    source[4] = np.nan
    at = choose(made, "a file to upload")
    at.file_uploader[0].upload("nan.npy", npy(source)).run()
    (error,) = at.error
    assert "other target rows" in error.value


def test_a_path_stays_under_the_operators_folder(opened, held, tmp_path, monkeypatch):
    monkeypatch.setenv(sources.DATA_ROOT, str(tmp_path))
    np.save(tmp_path / "other.npy", pairs(gap=2.0)[1])
    held.studies["upload:x"] = Study.of(EmbeddingPair.from_arrays(*pairs()), name="made", origin="upload")
    at = choose(opened("geometry", data="upload:x"), "a path on the server")
    box = next(field for field in at.text_input if field.label == "Source")
    box.set_value("other.npy").run()
    assert not at.error
    assert len(table(at)) == 3
    box = next(field for field in at.text_input if field.label == "Source")
    box.set_value("../../etc/passwd").run()
    (error,) = at.error
    assert "lies outside the folder" in error.value


@pytest.mark.parametrize("name", sample_names())
def test_every_card_says_what_the_sample_reaches_and_how_it_was_made(opened, name):
    card = sample_card(name)
    said = sample_cards.reached(card)
    assert shown(card["figures"]["gap"]) in said
    assert "chance" in said
    assert "Rotation" in sample_cards.kept(card)
    told = sample_cards.made(card)
    assert card["date"] in told
    assert ("not to its end" in told) == (not card["model"]["finished"])


def test_the_gallery_shows_them(opened):
    said = " ".join(sample_cards.reached(sample_card("scenes-long")).split())
    assert said in sentences(opened())


def test_pictures_follow_the_rows_of_a_sample_and_of_nothing_else():
    study = sources.sample("scenes")
    shown_first = thumbnails.of_row(study, 5)
    assert shown_first is not None
    head, _, data = shown_first.partition(",")
    assert head == "data:image/webp;base64"
    assert base64.b64decode(data) == sample_pictures("scenes")[5]
    assert thumbnails.of_row(replace(study, origin="upload"), 5) is None
    fewer = EmbeddingPair.from_arrays(*pairs())
    assert thumbnails.of_row(Study.of(fewer, name="x", origin="sample:scenes"), 5) is None
