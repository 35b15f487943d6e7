"""A bundled sample in plain words: what it is, what it reaches, how it was made."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.components.words import plain
from realign_core.figures.theme import LABELS
from realign_core.glossary import count, percent, shown
from realign_core.samples import sample_card


def show(name: str) -> None:
    """Title, one paragraph, and two popovers: figures, and how it was made."""
    card = sample_card(name)
    st.markdown(f"**{plain(card['title'])}**")
    st.caption(plain(f"{card['about']} {_rows(card)} {reached(card)}".strip()))
    with st.popover("How it was made", type="tertiary", key=f"made_{name}"):
        st.markdown(plain(made(card)))
        st.markdown(plain(kept(card)))


def _rows(card: dict[str, Any]) -> str:
    groups = card.get("groups")
    of = f" of {count(groups)} pictures" if groups and groups < card["rows"] else ""
    return f"{count(card['rows'])} pairs{of}, {card['dimension']} dimensions."


def reached(card: dict[str, Any]) -> str:
    """Gap against its floor, retrieval against chance; empty for a card without figures."""
    found = card.get("figures")
    if not found:
        return ""
    return (
        f"Gap {shown(found['gap'])} (sampling noise stays under {shown(found['sampling_floor_95'])}); "
        f"recall@1 {percent(found['recall_at_1'])} from source to target and "
        f"{percent(found['recall_at_1_reverse'])} back, chance {percent(found['chance'])}."
    )


def kept(card: dict[str, Any]) -> str:
    """What two methods reach on rows that they were not fitted to."""
    found = card.get("figures", {}).get("held_out", {})
    parts = [
        f"{LABELS[name]} brings the gap to {shown(scores['centroid_gap'])} (sampling noise stays under "
        f"{shown(scores['sampling_floor_95'])}) and keeps {percent(scores['omega'])} of 20 neighbours"
        for name, scores in found.items()
        if name != "identity" and scores["omega"] is not None
    ]
    return f"On rows that it was not fitted to, {'; '.join(parts)}." if parts else ""


def made(card: dict[str, Any]) -> str:
    """The model and its training, the seeds, the code and the day."""
    model = card.get("model")
    if not model:
        return f"Made by {card['made_by']}, seed {card['seed']}."
    half = "" if model["finished"] else f" of {count(model['steps'])}, so not to its end"
    code = f"Code: commit {model['commit'][:12]}. " if model["commit"] else ""
    return (
        f"An open_clip CLIP of {model['parameters'] / 1e6:.1f} million parameters, trained for "
        f"{count(model['step'])} steps{half} on {count(model['pairs_seen'])} pairs from a pool of "
        f"{count(model['training_scenes'])} scenes, {percent(model['long_captions_share'])} of them with "
        f"long captions (seed {model['seed']}, {model['device']}). No picture here holds the same objects on "
        f"the same ground as one in training (seed {card['seed']}). {code}Made on {card['date']}; "
        f"{card['made_by']} makes it again."
    )
