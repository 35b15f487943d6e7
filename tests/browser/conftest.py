"""A running dashboard and a browser in front of it; every test is also held to silence on the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from serving import make_pair, serve, write_pictured
from visits import Visit

SECRET = "outside.npy"


def pytest_collection_modifyitems(items) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def data_root(tmp_path_factory) -> Path:
    """The folder of server paths; a file beside it must stay out of reach."""
    root = tmp_path_factory.mktemp("served") / "root"
    root.mkdir()
    for name, n, d, seed in (("small", 240, 16, 1), ("other", 180, 12, 2), ("large", 12_000, 96, 3)):
        target, source = make_pair(n, d, seed=seed)
        np.save(root / f"{name}_image.npy", target)
        np.save(root / f"{name}_text.npy", source)
    write_pictured(root)
    np.save(root.parent / SECRET, np.stack(make_pair(20, 4, seed=4)))
    return root


@pytest.fixture(scope="session")
def server(data_root, tmp_path_factory) -> Iterator[str]:
    """Address of a dashboard of its own, started as a reader starts it."""
    with serve(data_root, tmp_path_factory.mktemp("log") / "server.log") as (address, _):
        yield address


@pytest.fixture
def visitor(browser, server) -> Iterator[Callable[..., Visit]]:
    """Open further visits, each in a profile of its own; all must have been silent at the end."""
    visits: list[Visit] = []

    def arrive(*, dark: bool = False, width: int = 1280, height: int = 800) -> Visit:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        visits.append(Visit(context, server))
        return visits[-1]

    yield arrive
    faults = [fault for visit in visits for fault in visit.faults]
    for visit in visits:
        visit.context.close()
    assert not faults, faults


@pytest.fixture
def visit(visitor) -> Visit:
    """One visit at 1280 x 800, light."""
    return visitor()
