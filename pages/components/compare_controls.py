"""Which methods are compared, and the settings that their scores depend on."""

from __future__ import annotations

import streamlit as st

from pages.components import choices, definitions, energy_slider, settings
from pages.components.study import Study
from realign_core.alignment.c3 import DEFAULT_NOISE_NORM, PRESETS
from realign_core.figures.theme import LABELS
from realign_core.glossary import shown

SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
LARGEST_K = 100


def show(study: Study) -> None:
    """The methods, and a button that opens the settings."""
    offered = choices.offered_methods(study)
    left, right = st.columns([6, 1], vertical_alignment="bottom")
    with left:
        settings.bind(
            "methods",
            st.multiselect,
            "Methods",
            offered,
            format_func=lambda name: LABELS.get(name, name),
            to_widget=lambda names: [name for name in names if name in offered],
            from_widget=tuple,
            placeholder="The default ones are shown until you choose",
        )
    with right, st.popover("Settings", width="stretch", key="compare_settings"):
        _settings(study)


def _settings(study: Study) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**Methods**")
        _noise(study)
        current = settings.get("shrinkage")
        settings.bind(
            "shrinkage",
            st.selectbox,
            "Blockwise: regularisation",
            sorted({choices.OAS, 0.0, *SHARES, current}),
            format_func=_regularisation,
            help="Shrinks the covariances that blockwise inverts towards round ones. Without it, a block "
            "with fewer rows than directions collapses.",
        )
        energy_slider.show("Blockwise: energy held by U")
    with right:
        st.markdown("**Judging**")
        largest = min(LARGEST_K, min(study.pair.report.n_target, study.pair.report.n_source) - 1)
        settings.bind(
            "k",
            st.number_input,
            "Neighbours looked at (k)",
            min_value=1,
            max_value=largest,
            step=1,
            to_widget=lambda k: min(k, largest),
            help=definitions.help_of("retention"),
        )
        settings.bind(
            "split",
            st.slider,
            "Share of rows to fit on",
            min_value=0.1,
            max_value=0.9,
            step=0.05,
            format="percent",
            help="The other rows are held out: methods are judged on them and never fitted to them.",
        )
        settings.bind(
            "seed",
            st.number_input,
            "Seed",
            min_value=0,
            max_value=2**31,
            step=1,
            help="Decides the split, C3's noise and the resamples behind the intervals.",
        )


def _noise(study: Study) -> None:
    unit = choices.noise_unit(study)
    settings.bind(
        "sigma",
        st.number_input,
        "C3: noise, in units of its default",
        min_value=0.0,
        max_value=100.0,
        step=0.25,
        format="%.3g",
        help=f"The default noise has norm {DEFAULT_NOISE_NORM}, which fits the published row cosine of C3. "
        "Captioning is the preset of C3's captioning code, whose noise buries the signal.",
    )
    with st.container(horizontal=True, gap="small"):
        presets = {"Default": 1.0, "Captioning": PRESETS["captioning"] / unit, "None": 0.0}
        for label, value in presets.items():
            st.button(
                label, key=f"noise_{label}", on_click=settings.choose, args=("sigma", value), type="secondary"
            )
    sigma = settings.get("sigma") * unit
    norm = sigma * study.pair.report.dim**0.5
    st.caption(f"{shown(sigma)} per coordinate, norm {shown(norm)} beside rows of norm 1.")


def _regularisation(share: float) -> str:
    if share == choices.OAS:
        return "OAS: as much as the data ask for"
    return "none, as published" if share <= 0 else f"a fixed share of {100 * share:.3g} %"
