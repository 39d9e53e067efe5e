from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from copstats.disclose import load_profile
from copstats.framework import load_framework
from copstats.framework.denominators import no_denominators
from copstats.official import publishable, take_in
from copstats.store.home import Home
from copstats.store.portal import PortalRegistry
from copstats.store.prepared import Prepared
from copstats.store.rows import Review, State
from tests.browser.conftest import browser  # noqa: F401 - a fixture
from tests.journey.conftest import demo, demo_home  # noqa: F401 - fixtures
from tests.official.material import counts
from tests.portal.conftest import PATIENT, Served, serve

PREPARED, VALUES = "2027-Q1", "0" * 64
"""A release that waits, and the hash of the values of Aruvia in it."""
REVIEWED, REJECTED = "XAA_2025_COPS", "XFF_2025_COPS_v01_M"
COUNTED, COUNTS = "XAA_2025_HELPLINE", "1" * 64


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
    """Let the published release of the demo, with a count, stand as one that waits for Aruvia's answer."""
    shutil.copytree(home.releases.folder("2026-Q4"), folder := home.path / "prepared" / PREPARED)
    lines = [
        "variable,period,sex,age,category,value",
        "le_victims,2025,_T,_T,_T,43",
        "le_victims,2025,F,_T,_T,3",
    ]
    lines.append("le_victims,2025,M,_T,_T,40")
    taken = take_in(home, counts(home.path.parent / "counts", lines, ref_area="XAA"))
    home.registry.decide(taken.submission.id, State.ACCEPTED, who="Reviewer")
    official = publishable(home, load_framework(), load_profile(), no_denominators())
    for name, table in official.tables.items():
        pq.write_table(table, folder / "parquet" / f"{name}.parquet")
    note = Prepared(
        label=PREPARED,
        made_from="",
        fingerprint="",
        manifest="",
        vintages={REVIEWED: 1},
        new={REVIEWED: VALUES, COUNTED: COUNTS},
    )
    home.prepared.note(note)
    assert Path(folder).is_dir()
    now = dt.datetime.now(dt.UTC)
    for wave, values_hash in ((REVIEWED, VALUES), (COUNTED, COUNTS)):
        review = Review(
            wave=wave,
            values_hash=values_hash,
            label=PREPARED,
            submission_id=f"{wave}_v01_M",
            ref_area="XAA",
            opened_at=now,
            closes_at=now + dt.timedelta(days=15),
        )
        home.registry.open_review(review)
