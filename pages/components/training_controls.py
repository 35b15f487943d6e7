"""Reference step, energy and axis of a training run, and how to look at one's own."""

from __future__ import annotations

import streamlit as st

from pages.components import definitions, energy_slider, settings, sources
from pages.components.training_run import PLANES
from pages.components.words import plain

HOW_TO_MAKE = (
    "No training run is bundled here and no folder is chosen. Make a run with "
    "`python -m realign_core train --out FOLDER`, start the dashboard with `--data` naming that folder or "
    "one above it, and give the folder's name under “Your own run”."
)
LAYOUT = """
A folder holds one file a snapshot, named by its training step, `step_000100.npz`, with

- `image_embeddings`, `text_embeddings`: unit rows `(n, d)` of one held-out probe set, row i of both a pair;
- `image_grads`, `text_grads`, optional: gradients `(m, d)` of the loss by the embeddings of a batch;
- `loss`, `recall_at_1`, `recall_at_1_reverse`, optional: single numbers;

and, if you like, `record.json` beside them. Or track in your own loop, without files; `docs/tracker.md`
has the same for open_clip and Lightning:
"""
LOOP = """tracker = rc.GapTracker(reference_step=800)
if step % 20 == 0:
    x, y = normalize(image_encoder(probe_images)), normalize(text_encoder(probe_texts))
    dx, dy = torch.autograd.grad(contrastive_loss(x, y), (x, y))
    tracker.update(step, x, y, dx, dy, loss=loss)"""


def show(steps: tuple[int, ...], reference: int) -> bool:
    """The controls in a row; whether steps go by their logarithm."""
    left, middle, right, last = st.columns([9, 9, 5, 4], gap="medium", vertical_alignment="center")
    with left:
        if len(steps) > 1:
            settings.bind(
                "t0",
                st.select_slider,
                "Reference step t₀",
                options=steps,
                help=definitions.help_of("training.reference_step"),
                to_widget=lambda _: reference,
                # Untouched, it goes on standing a third of the way while a run grows.
                from_widget=lambda value: settings.get("t0") if value == reference else value,
            )
        else:
            st.markdown(f"**Reference step {reference}**, the only snapshot.")
    with middle:
        energy_slider.show()
    with right:
        settings.bind(
            "steps",
            st.toggle,
            "Log axis of steps",
            to_widget=lambda value: value == "log",
            from_widget=lambda value: "log" if value else "linear",
        )
    with last, st.popover("Your own run", key="own_run"):
        own_run()
    return settings.get("steps") == "log"


def plane() -> None:
    """Which plane the probe set is seen in."""
    settings.bind(
        "plane",
        st.segmented_control,
        "Axes of the picture",
        options=list(PLANES),
        format_func=PLANES.__getitem__,
        required=True,
    )


def own_run() -> None:
    """Where a folder is named, what it must hold, and the tracker in a loop."""
    root = sources.data_root()
    if root is None:
        st.markdown("This server reads no folders; start it with `--data FOLDER` to allow one.")
    else:
        settings.bind(
            "run",
            st.text_input,
            "Folder of snapshots",
            placeholder="folder/of/a/run, empty for the bundled one",
            help=f"Under {plain(root.name)}/ on the server. A run that still trains is read as far as it is.",
        )
    st.markdown(LAYOUT)
    # Colours of syntax would fall short of a contrast of 4.5.
    st.code(LOOP, language=None)
