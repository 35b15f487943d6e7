"""Another source against the target in use, such as long captions beside short ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import streamlit as st

from pages.components import definitions, jobs, session, settings, sources, uploads
from pages.components.study import Study
from pages.components.words import plain
from realign_core.diagnostics import Diagnosis
from realign_core.diagnostics.two_sources import Spread, TwoSources, compare_sources
from realign_core.findings import long_and_short, source_findings
from realign_core.glossary import MISSING, shown
from realign_core.samples import PREFIX, sample_card, sample_names

UPLOAD, PATH = "a file to upload", "a path on the server"
LONG, SHORT = "long captions", "short captions"
TERMS = (
    "shared.effective_rank_source",
    "gap.trace_source",
    "gap.centroid_distance",
    "gap.sampling_floor",
    "gap.sampling_floor_95",
)


def show(study: Study, diagnosis: Diagnosis) -> None:
    """Choose a second source; its figures and those in use side by side, with what they say."""
    own = _card_of(study)
    partners = {PREFIX + name: sample_card(name)["source"] for name in _partners(study)}
    ways = [*partners, UPLOAD, *([PATH] if sources.data_root() else [])]
    left, right = st.columns([1, 2], gap="medium", vertical_alignment="bottom")
    chosen = left.selectbox(
        "Second source",
        ways,
        index=0 if partners else None,
        format_func=lambda way: f"{partners[way]} ({way})" if way in partners else way,
        placeholder="choose one",
        key=f"second_source_{study.digest}",
    )
    with right:
        found = _diagnosis(study, diagnosis, chosen)
    if found is None:
        st.caption(
            "Other texts to the same target rows, in the same order: other captions, another prompt, another "
            "language. Their spread and their gap then stand beside those in use."
        )
        return
    names = own.get("source", "the source in use"), partners.get(chosen or "", "the second source")
    two = compare_sources(diagnosis, found)
    st.table(_table(two, names), hide_index=True)
    definitions.popover(TERMS, key="terms_second_source", label="What the figures mean")
    for finding in source_findings(two, *names):
        st.markdown(plain(finding.text))
    if set(names) == {LONG, SHORT}:
        ordered = two if names[0] == SHORT else compare_sources(found, diagnosis)
        st.caption(plain(long_and_short(ordered).text))


def _card_of(study: Study) -> dict[str, Any]:
    name = study.origin.removeprefix(PREFIX)
    return sample_card(name) if study.origin.startswith(PREFIX) and name in sample_names() else {}


def _partners(study: Study) -> list[str]:
    """Other samples with the targets of the sample in use."""
    targets = _card_of(study).get("targets")
    if targets is None:
        return []
    others = [name for name in sample_names() if PREFIX + name != study.origin]
    return [name for name in others if sample_card(name).get("targets") == targets]


def _diagnosis(study: Study, diagnosis: Diagnosis, chosen: str | None) -> Diagnosis | None:
    """What was found of the chosen source; None while it is not named."""
    seed = diagnosis.seed
    if chosen is None:
        return None
    if chosen.startswith(PREFIX):
        other = sources.sample(chosen.removeprefix(PREFIX))
        energy = settings.get("energy")
        return _known(chosen, study, seed, lambda progress: other.diagnosis(energy, seed, progress))
    if chosen == UPLOAD:
        file = st.file_uploader("Source", uploads.SUFFIXES, key=f"second_upload_{study.digest}")
        if file is None:
            return None
        return _known(
            f"upload {file.file_id}",
            study,
            seed,
            lambda progress: uploads.diagnose_source(file, study.pair, seed, progress),
        )
    path = st.text_input("Source", placeholder="folder/text.npy", key=f"second_path_{study.digest}")
    if not path.strip():
        return None
    return _known(
        f"path {path}",
        study,
        seed,
        lambda progress: sources.diagnose_path(path, study.pair, seed, progress),
    )


def _known(
    name: str, study: Study, seed: int, work: Callable[[Callable[[str], None]], Diagnosis]
) -> Diagnosis:
    """The result of `work`, kept until another source is chosen."""
    key, kept = f"{study.digest}|{seed}|{name}", session.held().second
    if key not in kept:
        study.check_files()
        found = jobs.run(f"second|{key}", work)
        kept.clear()
        kept[key] = found
    return kept[key]


def _table(two: TwoSources, names: tuple[str, str]) -> pd.DataFrame:
    def figures(part: Spread) -> list[str]:
        return [shown(part.effective_rank), shown(part.trace)]

    rows = [["the target", *figures(two.target), MISSING, MISSING, MISSING]]
    for name, part in zip(names, (two.first, two.second)):
        gaps = map(shown, (part.gap, part.sampling_floor, part.sampling_floor_95))
        rows.append([name, *figures(part), *gaps])
    columns = ["Set", "Effective rank", "Total variance", "Gap to the target", "Floor", "95 % bound"]
    return pd.DataFrame(rows, columns=columns)
