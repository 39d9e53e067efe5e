from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.journey.conftest import demo, demo_home  # noqa: F401 - fixtures
from tests.portal.conftest import PATIENT, Served, new_home, serve
from tests.portal.journey.visiting import SAMPLES
from tests.portal.pages.conftest import prepare


@pytest.fixture(scope="module")
def surveyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal with its worker; Faldoria (XFF) and Aruvia (XAA) may send; releases are not reviewed."""
    folder = tmp_path_factory.mktemp("surveyed") / "home"
    tokens, ids = new_home(folder)
    home = Home.open(folder)
    home.change_settings(accept="by_hand", review_days=0, release_forms=("sdmx",))
    home.keys.signing_key()
    shutil.copy(SAMPLES / "areas.csv", folder)
    for area in ("XFF", "XAA"):
        tokens[area], ids[area] = provider(home, area)
    with serve(folder, tokens, ids, limits=PATIENT) as served:
        yield served


@pytest.fixture(scope="session")
def full_board(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal over the home of the demo; the values of XAA are in review."""
    assert request.getfixturevalue("demo").status == 0
    folder: Path = tmp_path_factory.mktemp("full-board") / "home"
    shutil.copytree(request.getfixturevalue("demo_home"), folder)
    tokens, ids = new_home(folder)
    home = Home.open(folder)
    prepare(home)
    for area in ("XFF", "XAA"):
        tokens[area], ids[area] = provider(home, area)
    with serve(folder, tokens, ids, worker=False, limits=PATIENT) as served:
        yield served


def provider(home: Home, area: str) -> tuple[str, str]:
    """Make a token of a statistics office; return it and its id."""
    secret, made = PortalRegistry(home.registry.database).create_token(
        "provider", area=area, holder=f"Office of {area}", days=1, now=dt.datetime.now(dt.UTC)
    )
    return secret, made.id
