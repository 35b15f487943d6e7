"""The Data page: what it opens on, what it reads, and what it says of what it cannot read."""

from __future__ import annotations

import io
import pickle
import threading

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy
import torch
from page_tools import address, default_gap, figures, look_at, npy, pairs, sample_diagnosis, sentences

from pages.components import jobs, sources
from pages.components.study import Study
from pages.components.uploads import SUFFIXES, Upload
from realign_core.glossary.numbers import MISSING, shown


def torch_file(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    torch.save(torch.from_numpy(rows), file)
    return file.getvalue()


def npz(rows: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, rows=rows)
    return file.getvalue()


def wide(rows: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[f"d{i}" for i in range(rows.shape[1])])


def in_file(write) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


FORMATS = {
    "npy": npy,
    "npz": npz,
    "pt": torch_file,
    "pth": torch_file,
    "safetensors": lambda rows: safetensors.numpy.save({"rows": rows}),
    "parquet": lambda rows: in_file(wide(rows).to_parquet),
    "arrow": lambda rows: in_file(wide(rows).to_feather),
    "feather": lambda rows: in_file(wide(rows).to_feather),
    "csv": lambda rows: wide(rows).to_csv(index=False).encode(),
    "tsv": lambda rows: wide(rows).to_csv(index=False, sep="\t").encode(),
}


def upload(at, paired="auto", **files):
    """Give files to the page and read them: `target=("name", bytes)`."""
    look_at(at, "Upload")
    for role, (name, content) in files.items():
        turn = at.session_state["upload_round"]
        at.file_uploader(key=f"upload_{role}_{turn}").upload(name, content)
    at.selectbox(key="upload_paired").set_value(paired)
    at.run()
    return at.button(key="upload_read").click().run()


def metric(at, label):
    return next(m.value for m in at.metric if m.label == label)


def test_opens_on_the_sample_with_the_gap_in_words_and_its_parts_adding_up(opened):
    at = opened()
    assert not at.exception
    assert not at.error
    gap = sample_diagnosis("scenes").gap
    times = shown(gap.centroid_distance / gap.sampling_floor)
    assert f"{default_gap()}, {times} times what sampling noise alone would give" in sentences(at)
    (spec,) = figures(at).values()
    parts = [trace["x"][0] for trace in spec["data"]]
    assert len(parts) == 4
    assert sum(parts) == pytest.approx(spec["layout"]["xaxis"]["range"][1])
    assert parts[0] + parts[1] == pytest.approx(gap.centroid_distance**2, rel=1e-4)


def test_the_control_sample_is_one_click_away_and_has_no_gap(opened):
    at = opened()
    at.button(key="open_no-gap").click().run()
    gap, bound = (float(metric(at, label)) for label in ("Gap between the means", "95 % bound of the floor"))
    assert gap < 0.1 * sample_diagnosis("scenes").gap.centroid_distance
    assert metric(at, "Sampling floor") != "0"
    assert ("cannot be told from zero" in sentences(at)) == (gap <= bound)
    assert at.button(key="open_no-gap").disabled
    assert address(at)["data"] == "sample:no-gap"


def test_every_suffix_that_is_offered_is_tried():
    assert set(FORMATS) == set(SUFFIXES)


@pytest.mark.parametrize("suffix", FORMATS)
def test_reads_two_files_of_every_format(opened, suffix):
    target, source = pairs()
    write = FORMATS[suffix]
    at = upload(opened(), target=(f"im.{suffix}", write(target)), source=(f"te.{suffix}", write(source)))
    assert not at.error
    assert not at.exception
    assert f"im.{suffix} and te.{suffix} · 80 pairs · 6 dimensions" in sentences(at)
    unit = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (target, source)]
    gap = np.linalg.norm(unit[0].mean(0) - unit[1].mean(0))
    assert float(metric(at, "Gap between the means")) == pytest.approx(gap, rel=5e-3)


def test_reads_one_file_that_holds_both_sets(opened):
    at = upload(opened(), target=("both.npy", npy(np.stack(pairs()))))
    assert not at.error
    assert "both.npy · 80 pairs" in sentences(at)


def test_joins_captions_labels_and_image_paths_by_row_past_a_row_left_out(opened, held):
    target, source = pairs()
    target[3] = np.nan
    table = pd.DataFrame({"caption": [f"row {i}" for i in range(80)], "label": ["NA", "b"] * 40})
    beside = table.to_csv(index=False).encode()
    at = upload(
        opened(), target=("a.npy", npy(target)), source=("b.npy", npy(source)), columns=("c.csv", beside)
    )
    assert not at.error
    (study,) = held.studies.values()
    assert list(study.pair.captions[2:4]) == ["row 2", "row 4"]
    assert study.pair.labels[0] == "NA"
    assert "Beside the rows: captions, labels." in sentences(at).replace("**", "")


def table_of(rows: int) -> bytes:
    return pd.DataFrame({"caption": ["x"] * rows}).to_csv(index=False).encode()


GOOD = ("good.npy", npy(pairs()[0]))
BAD = {
    "empty": ({"target": ("e.npy", b""), "source": GOOD}, "e.npy is empty"),
    "truncated": ({"target": ("t.npy", GOOD[1][:200]), "source": GOOD}, "t.npy"),
    "misnamed": ({"target": ("z.npz", GOOD[1]), "source": GOOD}, "looks like a .npy array"),
    "objects": ({"target": ("o.npy", npy(np.array([{}], object))), "source": GOOD}, "o.npy"),
    "whole numbers": ({"target": ("i.npy", npy(np.ones((9, 3), int))), "source": GOOD}, "whole numbers"),
    "other dimension": ({"target": ("d.npy", npy(pairs(d=7)[0])), "source": GOOD}, "has dimension 7"),
    "one row": ({"target": ("1.npy", npy(pairs(n=1)[0])), "source": GOOD}, "at least 2 are needed"),
    "no usable row": ({"target": ("n.npy", npy(np.full((80, 6), np.nan))), "source": GOOD}, "n.npy"),
    "source missing": ({"target": GOOD}, "name the source file as well"),
    "table too short": (
        {"target": GOOD, "source": GOOD, "columns": ("c.csv", table_of(79))},
        "c.csv has 79 rows and the embeddings have 80",
    ),
    "table without a known column": (
        {"target": GOOD, "source": GOOD, "columns": ("c.csv", b"a,b\n1,2\n")},
        "name one of them caption, label or image_path",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_upload_is_one_sentence_and_the_page_stays(opened, name):
    files, told = BAD[name]
    at = upload(opened(), **files)
    assert not at.exception
    (error,) = at.error
    assert told in error.value.replace("\\", "")
    assert "gapscope-" not in error.value.replace("\\", "")
    assert default_gap() in sentences(at)
    assert at.session_state["settings"]["data"] == "sample:scenes"
    assert not at.run().error


def test_refuses_a_pickle_inside_an_accepted_suffix(opened):
    at = upload(opened(), target=("p.pt", pickle.dumps({"x": 1}, protocol=4)), source=GOOD)
    (error,) = at.error
    assert "p.pt" in error.value
    assert not at.exception


def test_pickles_are_refused_with_a_sentence_whatever_the_browser_lets_through():
    class File(io.BytesIO):
        name = "rows.pkl"

    with pytest.raises(ValueError, match="is a pickle, which is not taken from an upload"):
        Upload(File(pickle.dumps([1])), File(b"")).read(lambda _: None)


@pytest.mark.parametrize(
    "name",
    [
        "a [b] *c* $d$.npy",
        "<b>x</b>.npy",
        "..",
        "dir/../../x.npy",
        "n" * 400 + ".npy",
        "é ü 漢.npy",
        "a:b.npy",
    ],
)
def test_odd_file_names_are_read_and_shown_as_they_are(name):
    class File(io.BytesIO):
        pass

    target, source = (File(npy(rows)) for rows in pairs())
    target.name, source.name = name if name.endswith(".npy") else "x.npy", "b.npy"
    if name == "..":
        target.name = "..\\x.npy"
    study = Upload(target, source).read(lambda _: None)
    assert study.pair.report.n_target == 80
    assert "/" not in study.pair.report.path_target
    assert "gapscope-" not in study.name


def test_unpaired_sets_have_a_bias_and_no_residual(opened):
    target, source = pairs()
    at = upload(opened(), target=("a.npy", npy(target)), source=("b.npy", npy(source[:60])))
    assert not at.error
    assert "80 target and 60 source rows, unpaired" in sentences(at)
    assert "The sets differ in length" in sentences(at)
    (spec,) = figures(at).values()
    assert len(spec["data"]) == 2
    assert metric(at, "Bias, of the energy of pairs") == MISSING


def test_paired_no_is_obeyed_and_said(opened):
    at = upload(opened(), "no", target=("a.npy", npy(pairs()[0])), source=("b.npy", npy(pairs()[1])))
    assert "Unpaired, as told." in sentences(at).replace("**", "")


def test_says_where_rows_are_fewer_than_dimensions(opened):
    target, source = pairs(n=12, d=40)
    at = upload(opened(), target=("a.npy", npy(target)), source=("b.npy", npy(source)))
    assert "12 rows in 40 dimensions" in sentences(at)
    assert not at.warning


def test_a_way_to_data_is_shown_once_it_is_looked_at_and_stays(opened):
    at = opened()
    assert not at.file_uploader
    assert at.button(key="open_no-gap")
    look_at(at, "Upload").file_uploader(key="upload_source_0").upload(*GOOD)
    look_at(at, "Samples")
    assert at.file_uploader(key="upload_source_0").value.name == GOOD[0]


def test_half_entered_input_is_harmless(opened, tmp_path, monkeypatch):
    monkeypatch.setenv(sources.DATA_ROOT, str(tmp_path))
    at = look_at(opened(), "Upload")
    at.file_uploader(key="upload_source_0").upload(*GOOD)
    look_at(at, "Server path").text_input(key="path_source").set_value("x")
    at.run()
    assert at.button(key="upload_read").disabled
    assert at.button(key="path_open").disabled
    assert not at.error
    at.toggle(key="upload_whole").set_value(True).run()
    assert at.button(key="upload_read").disabled
    assert not at.error


def test_a_folder_as_clip_retrieval_writes_it():
    class File(io.BytesIO):
        pass

    rows, files = pairs(), []
    table = io.BytesIO()
    pd.DataFrame({"caption": [f"c{i}" for i in range(80)]}).to_parquet(table)
    for name, content in {
        "set/img_emb/img_emb_0.npy": npy(rows[0][:50]),
        "set/img_emb/img_emb_1.npy": npy(rows[0][50:]),
        "set/text_emb/text_emb_0.npy": npy(rows[1][:50]),
        "set/text_emb/text_emb_1.npy": npy(rows[1][50:]),
        "set/metadata/metadata_0.parquet": table.getvalue(),
    }.items():
        files.append(File(content))
        files[-1].name = name
    study = Upload(folder=files).read(lambda _: None)
    assert study.pair.report.n_target == 80
    assert study.pair.captions[79] == "c79"
    assert study.name == "set"


def test_data_that_is_gone_says_so_and_can_be_uploaded_again(opened):
    at = opened(data="upload:0123")
    (error,) = at.error
    assert "no longer holds the uploaded data" in error.value
    at = upload(at, target=GOOD, source=("b.npy", npy(pairs()[1])))
    assert not at.error
    assert "80 pairs" in sentences(at)


def test_equal_uploads_with_other_captions_replace_each_other(opened, held):
    at = opened()
    rows = {"target": GOOD, "source": ("b.npy", npy(pairs()[1]))}
    upload(at, **rows, columns=("c.csv", table_of(80)))
    upload(at, **rows)
    (study,) = held.studies.values()
    assert study.pair.captions is None


def test_other_data_can_be_opened_while_these_are_diagnosed(opened, monkeypatch):
    go_on, diagnosis = threading.Event(), Study.diagnosis
    sources.sample("scenes")

    def slowly(self, *given, **options):
        assert go_on.wait(60)
        return diagnosis(self, *given, **options)

    monkeypatch.setattr(Study, "diagnosis", slowly)
    monkeypatch.setattr(Study, "has_diagnosis", lambda self, seed: False)
    monkeypatch.setattr(jobs, "PATIENCE_SECONDS", 0.1)
    at = opened()
    go_on.set()
    assert "Working: " in sentences(at)
    assert not figures(at)
    assert at.tabs
    assert "What was loaded" in [heading.value for heading in at.subheader]
