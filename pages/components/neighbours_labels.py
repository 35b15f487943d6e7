"""The effect per label: which kinds of rows keep their neighbourhoods."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pages.components import charts, definitions, neighbours_choice, theme
from pages.components.study import Study
from pages.components.words import plain
from realign_core.comparison import Comparison
from realign_core.comparison.inspection import LabelEffect, label_effects
from realign_core.figures.label_effects import MOST_LABELS, label_effects_figure
from realign_core.figures.theme import LABELS
from realign_core.glossary import shown


def show(study: Study, result: Comparison) -> None:
    """Neighbours kept by the rows of each label, with intervals."""
    pair = study.pair
    if pair.labels is None:
        st.caption("These data have no labels. A column named label beside the embeddings gives them.")
        return
    if not pair.paired:
        st.caption("Labels belong to target rows here, and without pairs they say nothing of source rows.")
        return
    effects, overall = {}, {}
    for name, method in neighbours_choice.methods_of(result).items():
        rows, shares = neighbours_choice.shares_of(result, method)
        groups = None if pair.groups is None else pair.groups[rows.source]
        effects[name] = label_effects(
            shares, pair.labels[rows.source], groups=groups, seed=result.settings.seed
        )
        overall[name] = float(shares.mean())
    st.markdown("  \n".join(plain(_sentence(name, found, overall[name])) for name, found in effects.items()))
    figure = label_effects_figure(effects, overall, dark=theme.dark())
    lines = [f"{LABELS.get(n, n)}: {e[0].label} {shown(e[0].kept)} least" for n, e in effects.items()]
    charts.show(figure, "label_effects", alt="Share of neighbours kept by label. " + "; ".join(lines) + ".")
    count = len(next(iter(effects.values())))
    if count > MOST_LABELS:
        st.caption(f"The {MOST_LABELS} labels of {count} that kept least are drawn; the numbers hold all.")
    with st.container(horizontal=True, gap="medium"):
        with st.popover("Numbers", type="tertiary", key="numbers_labels"):
            st.dataframe(_numbers(effects), hide_index=True)
        definitions.popover(("retention",), key="terms_labels")


def _sentence(name: str, found: tuple[LabelEffect, ...], overall: float) -> str:
    """Which labels fare worse than all rows together, where their intervals say so."""
    label = LABELS.get(name, name)
    worse = [effect for effect in found if effect.interval and effect.interval[1] < overall]
    if not worse:
        return f"{label} harms no label visibly more than the rest: it keeps {shown(overall)} on average."
    worst = worse[0]
    more = f", and {len(worse) - 1} more below their mean" if len(worse) > 1 else ""
    kept = f"{shown(worst.kept)} against {shown(overall)} on average"
    return f"{label} keeps least of {worst.label}: {kept}{more}."


def _numbers(effects: dict[str, tuple[LabelEffect, ...]]) -> pd.DataFrame:
    first = next(iter(effects.values()))
    labels = [effect.label for effect in first]
    table: dict[str, Sequence[object]] = {"label": labels, "rows": [effect.rows for effect in first]}
    for name, found in effects.items():
        by_label = {effect.label: effect for effect in found}
        table[LABELS.get(name, name)] = [_text(by_label[label]) for label in labels]
    return pd.DataFrame(table)


def _text(effect: LabelEffect) -> str:
    if effect.interval is None:
        return shown(effect.kept)
    return f"{shown(effect.kept)} ({shown(effect.interval[0])} to {shown(effect.interval[1])})"
