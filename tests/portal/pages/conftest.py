from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from copstats.store.prepared import Prepared
from copstats.store.rows import Review
from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.journey.conftest import demo, demo_home  # noqa: F401 - fixtures
from tests.portal.conftest import PATIENT, Served, serve

PREPARED, VALUES = "2027-Q1", "0" * 64
"""A release that waits, and the hash of the values of Aruvia in it."""
REVIEWED, REJECTED = "XAA_2025_COPS", "XFF_2025_COPS_v01_M"


@pytest.fixture(scope="session")
def full_portal(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal over the home of the demo; XAA and XFF sign in, the values of XAA are in review."""
    assert request.getfixturevalue("demo").status == 0
    home = tmp_path_factory.mktemp("full-portal") / "home"
    shutil.copytree(request.getfixturevalue("demo_home"), home)
    opened = Home.open(home)
    prepare(opened)
    registry = PortalRegistry(opened.registry.database)
    made = {
        area: registry.create_token(
            "provider", area=area, holder=f"Office of {area}", days=1, now=dt.datetime.now(dt.UTC)
        )
        for area in ("XAA", "XFF")
    }
    tokens = {area: secret for area, (secret, _) in made.items()}
    ids = {area: token.id for area, (_, token) in made.items()}
    with serve(home, tokens, ids, worker=False, limits=PATIENT) as served:
        yield served


def prepare(home: Home) -> None:
    """Let the published release of the demo stand as one that waits for the answer of Aruvia."""
    shutil.copytree(home.releases.folder("2026-Q4"), folder := home.path / "prepared" / PREPARED)
    note = Prepared(
        label=PREPARED,
        made_from="",
        fingerprint="",
        manifest="",
        vintages={REVIEWED: 1},
        new={REVIEWED: VALUES},
    )
    home.prepared.note(note)
    assert Path(folder).is_dir()
    now = dt.datetime.now(dt.UTC)
    review = Review(
        wave=REVIEWED,
        values_hash=VALUES,
        label=PREPARED,
        submission_id=f"{REVIEWED}_v01_M",
        ref_area="XAA",
        opened_at=now,
        closes_at=now + dt.timedelta(days=15),
    )
    home.registry.open_review(review)
