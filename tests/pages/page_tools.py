"""What the tests of pages read off a page and open in it."""

from __future__ import annotations

import io
import json
from functools import cache
from urllib.parse import parse_qsl

import numpy as np
from streamlit.testing.v1 import AppTest

from realign_core.diagnostics import Diagnosis, diagnose
from realign_core.glossary import shown
from realign_core.load import load_pair


def figures(at: AppTest) -> dict[str, dict]:
    """Figures by key, as plotly reads them."""
    found = {}
    for element in at.get("plotly_chart"):
        key = element.proto.id.rpartition("-")[2]
        found[key] = json.loads(element.proto.spec)
    return found


@cache
def sample_diagnosis(name: str) -> Diagnosis:
    """What a bundled sample reads."""
    return diagnose(load_pair(f"sample:{name}"))


def default_gap() -> str:
    """The gap of the sample that the dashboard opens on, as pages write it."""
    return f"The gap is {shown(sample_diagnosis('scenes').gap.centroid_distance)}"


def address(at: AppTest) -> dict[str, str]:
    """The settings that the page writes into the browser's address."""
    (writer,) = (e for e in at.get("bidi_component") if e.proto.component_name == "gapscope_address")
    return dict(parse_qsl(json.loads(writer.proto.json)["query"]))


def look_at(at: AppTest, way: str) -> AppTest:
    """The Data page with this way to data in front: a tab is filled when it is looked at."""
    at.session_state["way_to_data"] = way
    return at.run()


def sentences(at: AppTest) -> str:
    """All that the page says, in order of kind, without the marks that keep Markdown from reading it."""
    parts = [e.value for kind in (at.title, at.markdown, at.caption, at.error, at.info) for e in kind]
    return "\n".join(parts).replace("\\", "")


def pairs(n: int = 80, d: int = 6, *, gap: float = 1.0, noise: float = 0.2, seed: int = 0):
    """Target and source `(n, d)` float32 that are pairs, apart by a shift."""
    generator = np.random.default_rng(seed)
    meaning = generator.standard_normal((n, d))
    shift = np.eye(d)[0] * gap
    target, source = (meaning + sign * shift + noise * generator.standard_normal((n, d)) for sign in (1, -1))
    return target.astype(np.float32), source.astype(np.float32)


def npy(rows: np.ndarray) -> bytes:
    """A .npy file of these rows."""
    file = io.BytesIO()
    np.save(file, rows)
    return file.getvalue()
