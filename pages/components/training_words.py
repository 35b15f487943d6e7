"""What a training run shows, in words and headline figures."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pages.components import definitions
from pages.components.training_run import Run
from pages.components.words import plain
from realign_core.figures.training import chance_of
from realign_core.findings import Finding
from realign_core.findings.training import NOT_SHOWN, OPEN, PARTLY, SHOWN
from realign_core.glossary import MISSING, count, listed, percent, shown

CLAIMS = {
    "leakage": "Gradients stay in U",
    "stability": "The bias in V is stable",
    "locking": "Residuals have a shape and follow the gradients",
    "decoupling": "Bias and noise in V stand apart",
}
MARKS = {SHOWN: "●", PARTLY: "◐", NOT_SHOWN: "○", OPEN: MISSING}
SUMMED = {SHOWN: "shown", PARTLY: "shown in part", NOT_SHOWN: "not shown", OPEN: "left open"}


def summary(findings: tuple[Finding, ...]) -> str:
    """How many of the four findings the run shows."""
    verdicts = [verdict_of(finding)[0] for finding in findings]
    counts = {word: verdicts.count(kind) for kind, word in SUMMED.items() if kind in verdicts}
    parts = [f"{number} {'is' if number == 1 else 'are'} {word}" for word, number in counts.items()]
    return f"Of the paper's four findings on training, {listed(parts)} by this run."


def verdict_of(finding: Finding) -> tuple[str, str]:
    """Verdict and explanation of a finding on training."""
    verdict, _, text = finding.text.partition(": ")
    return verdict, text[:1].upper() + text[1:]


def show_findings(findings: tuple[Finding, ...]) -> None:
    """Each finding under what the paper claims, the verdict first."""
    for finding in findings:
        verdict, text = verdict_of(finding)
        st.markdown(f"{MARKS[verdict]} **{CLAIMS[finding.topic]}: {verdict.lower()}.** {plain(text)}")


def show_headline(frame: pd.DataFrame) -> None:
    """Snapshots, probe size, last retrieval against chance, gap at both ends."""
    first, last = frame.iloc[0], frame.iloc[-1]
    pairs = int(last["n"])
    recall = last.get("recall_at_1")
    facts = (
        ("Snapshots", f"{len(frame)}, to step {count(int(last['step']))}", "training.steps"),
        ("Probe pairs", count(pairs), "training.probe"),
        (
            "Recall@1 (chance)",
            MISSING
            if recall is None
            else f"{percent(float(recall))} ({percent(float(chance_of(frame)[-1]))})",
            "training.recall_at_1",
        ),
        (
            "Gap, first and last",
            f"{shown(float(first['gap']))} → {shown(float(last['gap']))}",
            "gap.centroid_distance",
        ),
    )
    columns = [*st.columns(2), *st.columns(2)]
    for column, (label, value, key) in zip(columns, facts):
        column.metric(label, value, help=definitions.help_of(key))


def about(run: Run) -> str:
    """Name of the run and what its record says of it."""
    record, parts = run.snapshots.record, [run.name]
    parameters = record.get("parameters")
    if isinstance(parameters, int) and parameters > 0:
        parts.append(f"{shown(parameters / 1e6)} million parameters")
    settings = record.get("settings")
    planned = settings.get("steps") if isinstance(settings, dict) else None
    if record.get("finished") is False:
        goal = f" of {count(planned)}" if isinstance(planned, int) else ""
        parts.append(f"not finished, step {count(run.snapshots.steps[-1])}{goal}")
    return " · ".join(parts)
