"""The Report page: its files are those of the command line, and its commands repeat them."""

from __future__ import annotations

import io
import json
import os
import shlex
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pages.components import choices, report_again, report_downloads, report_files, settings
from pages.components.sources import command_paths
from pages.components.study import Study
from pages.components.uploads import Upload
from realign_core.alignment import load_aligner
from realign_core.cli import main
from realign_core.comparison import Settings
from realign_core.load import load_pair, load_set
from realign_core.samples import sample_path
from realign_core.validation import UnusableInput
from tests.pages.page_tools import pairs, sentences

SMALL = Settings(methods=("c3", "blockwise", "realign"), bootstrap=20)
PATHS = ("path_target", "path_source")


@pytest.fixture(scope="module")
def study() -> Study:
    return Study.of(
        load_pair(sample_path("sample:scenes"), max_rows=200), name="Scenes", origin="sample:scenes"
    )


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A served folder with a pair of files whose names need quoting."""
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))
    target, source = pairs()
    np.save(tmp_path / "the images.npy", target)
    np.save(tmp_path / "it's text.npy", source)
    return tmp_path


def commands(at) -> list[list[str]]:
    return [shlex.split(code.value) for code in at.code if code.value.startswith("python")]


def run(words: list[str]) -> None:
    assert words[:3] == ["python", "-m", "realign_core"]
    assert main(words[3:]) == 0


def same(ours: dict, theirs: dict) -> None:
    """Equal but for how long it took and where the files lie."""
    for found in (ours, theirs):
        for name, method in found["methods"].items():
            assert set(method.pop("seconds")) == {"fit", "transform"}, name
        del found["seconds"]
        for path in PATHS:
            del found["dataset"][path]
    assert ours == theirs


def metrics(at_settings: dict[str, str], study: Study) -> dict:
    chosen = {name: settings.SETTINGS[name].read(text) for name, text in at_settings.items()}
    names = {"energy", "k", "split", "seed", "methods"}
    options = {name: value for name, value in chosen.items() if name in names}
    options.setdefault("methods", settings.SETTINGS["methods"].default)
    if "sigma" in chosen:
        options["c3_sigma"] = chosen["sigma"] * choices.noise_unit(study)
    if "shrinkage" in chosen:
        options["method_options"] = {"blockwise": {"shrinkage": chosen["shrinkage"] or None}}
    return json.loads(report_files.metrics_json(study, Settings(**options)))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"methods": "c3,blockwise,rotation", "energy": "0.9", "k": "7", "split": "0.6", "seed": "3"},
        {"methods": "c3,blockwise", "sigma": "2.5", "shrinkage": "0"},
        {"methods": "blockwise,procrustes", "shrinkage": "0.3"},
    ],
    ids=["defaults", "numbers", "noise", "pairs"],
)
def test_the_command_writes_the_same_json(opened, root, monkeypatch, given):
    at = opened("report", data="path:the images.npy|it's text.npy", **given)
    assert not at.error
    monkeypatch.chdir(root)
    (analyze, align) = commands(at)
    run(analyze)
    pair = load_pair(root / "the images.npy", root / "it's text.npy")
    study = Study.of(pair, name="x", origin="path:x")
    same(metrics(given, study), json.loads((root / "metrics.json").read_text()))
    run(align)
    assert (root / "aligned-realign.npy").is_file()


def test_the_command_of_a_sample_names_the_sample(opened):
    at = opened("report")
    analyze, align = commands(at)
    assert analyze[4] == "sample:scenes" == align[4]


def test_the_command_of_an_upload_names_the_files(root, tmp_path, monkeypatch, opened, held):
    study = upload(root)
    assert command_paths(study) == ["the images.npy", "it's text.npy"]
    held.studies[f"upload:{study.digest}"] = study
    at = opened("report", data=f"upload:{study.digest}")
    assert "the uploaded files" in sentences(at)
    assert "No link" in sentences(at)
    monkeypatch.chdir(root)
    run(commands(at)[0])
    same(metrics({}, study), json.loads((root / "metrics.json").read_text()))


def upload(root: Path) -> Study:
    class Given(io.BytesIO):
        def __init__(self, path: Path):
            super().__init__(path.read_bytes())
            self.name, self.size = path.name, path.stat().st_size

    given = Upload(Given(root / "the images.npy"), Given(root / "it's text.npy"))
    return given.read(lambda stage: None)


@pytest.mark.parametrize("suffix", report_files.FORMATS)
@pytest.mark.parametrize("name", ["c3", "blockwise", "realign"])
def test_aligned_rows_are_those_of_align(study, tmp_path, name, suffix):
    path = tmp_path / f"rows{suffix}"
    path.write_bytes(report_files.aligned(study, SMALL, name, suffix))
    method = report_files.fitted(study, SMALL, name)
    np.testing.assert_array_equal(
        load_set(path, role="source").rows[:], method.transform(study.pair.source[:])
    )


def test_building_leaves_no_file_behind(study):
    before = set(os.listdir(tempfile.gettempdir()))
    report_files.aligned(study, SMALL, "realign", ".npz")
    report_files.aligner(study, SMALL, "realign")
    left = set(os.listdir(tempfile.gettempdir())) - before
    assert not [name for name in left if name.startswith(report_files.PREFIX)]


@pytest.mark.parametrize("name", ["c3", "blockwise", "realign", "procrustes", "random_target"])
def test_the_aligner_is_read_back(study, tmp_path, name):
    packed = zipfile.ZipFile(io.BytesIO(report_files.aligner(study, SMALL, name)))
    packed.extractall(tmp_path)
    again = load_aligner(tmp_path / name)
    expected = report_files.fitted(study, SMALL, name).transform(study.pair.source[:])
    np.testing.assert_array_equal(again.transform(study.pair.source[:]), expected)


def test_the_report_asks_for_nothing_outside(study):
    page = report_files.html(study, SMALL).decode()
    assert page.startswith("<!doctype html>")
    assert 'src="http' not in page


def test_csv_has_a_row_a_method(study):
    lines = report_files.metrics_csv(study, SMALL).decode().splitlines()
    assert [line.split(",")[0] for line in lines] == ["method", *SMALL.methods]


def test_names_of_files_differ_with_settings_and_data(study):
    other = Settings(methods=("c3",))
    names = {report_files.file_name(study, chosen, ".npy") for chosen in (SMALL, other)}
    assert len(names) == 2
    strange = Study(study.pair, "../über <b>", "upload", study.digest)
    assert set(report_files.file_name(strange, SMALL, ".npy")) <= set(
        "abcdefghijklmnopqrstuvwxyz0123456789-."
    )


def test_a_failure_while_building_is_a_sentence():
    def broken() -> bytes:
        raise ZeroDivisionError

    with pytest.raises(UnusableInput, match="failed unexpectedly"):
        report_downloads._built(broken)


def test_rows_too_many_for_the_browser_go_by_the_command(opened, monkeypatch):
    monkeypatch.setattr(report_downloads, "LARGEST", 1000)
    at = opened("report")
    labels = [json.loads(json.dumps(e.proto.label)) for e in at.get("download_button")]
    assert "Aligned embeddings" not in labels
    assert "Fitted aligner" in labels
    assert "too many to pass" in sentences(at)


def test_unpaired_data_offers_no_method_that_needs_pairs(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("GAPSCOPE_DATA_ROOT", str(tmp_path))
    target, source = pairs()
    np.save(tmp_path / "t.npy", target)
    np.save(tmp_path / "s.npy", source[:-5])
    at = opened("report", data="path:t.npy|s.npy", methods="procrustes,realign")
    assert not at.error
    assert "procrustes" not in commands(at)[0][commands(at)[0].index("--methods") + 1]
    method = next(box for box in at.selectbox if box.label == "Method")
    assert "Procrustes" not in method.options


def test_the_link_restores_data_and_settings(opened, monkeypatch):
    at = opened("report", k="5", methods="c3,realign", data="sample:no-gap")
    link = next(code.value for code in at.code if "compare?" in code.value)
    query = dict(part.split("=") for part in link.partition("?")[2].split("&"))
    assert query == {"data": "sample%3Ano-gap", "k": "5", "methods": "c3%2Crealign"}


def test_the_address_is_built_beside_the_page():
    assert report_again.urljoin("http://host:1/base/report", "compare") == "http://host:1/base/compare"
