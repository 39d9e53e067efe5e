from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec import structs

from copstats.disclose import load_profile, protect
from copstats.disseminate import manifest
from copstats.disseminate.manifest import read_manifest
from copstats.framework import load_framework
from tests.disclose.estimates import table
from tests.disseminate.conftest import KEY, build, record, rows
from tests.portal.conftest import PATIENT, Served, new_home, serve

SITE = "<!DOCTYPE html><title>Site</title>"


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A portal with two releases, 2026-Q3 and 2026-Q4, and one that is prepared, 2027-Q1."""
    home = tmp_path_factory.mktemp("published") / "home"
    known = new_home(home)
    newest = home / "releases" / "2026-Q4"
    build(newest, _values(), forms=("sdmx",))
    (newest / "site" / "en").mkdir(parents=True)
    for name in ("site/index.html", "site/en/index.html"):
        (newest / name).write_text(SITE, "utf-8")
    sign(newest)
    for other in (home / "releases" / "2026-Q3", home / "prepared" / "2027-Q1"):
        shutil.copytree(newest, other)
        sign(other)
    (newest / "unlisted.txt").write_text("of no manifest", "utf-8")
    with serve(home, *known, worker=False, limits=PATIENT) as served:
        yield served


@pytest.fixture(scope="session")
def release(published: Served) -> Path:
    return published.home / "releases" / "2026-Q4"


@pytest.fixture(scope="session")
def cells(release: Path) -> pa.Table:
    return pq.read_table(release / "parquet" / "indicator_value.parquet")


@pytest.fixture(scope="session")
def reader(published: Served) -> httpx.Client:
    """A program without a token."""
    return published.client()


def sign(folder: Path) -> None:
    """Sign what lies in a folder under its name."""
    files = {name: manifest.file_entry(path) for name, path in manifest.regular_files(folder)}
    manifest.sign(folder, structs.replace(read_manifest(folder), label=folder.name, files=files), KEY)


def _values() -> pa.Table:
    estimates = table(
        *rows("XAA"),
        *rows("XAA", 2023, estimate=0.31, ci_lower=0.28, ci_upper=0.34),
        *rows("XBB", comparability="A", comparability_reasons="", estimate=0.25),
        *rows("XCC", comparability="C", comparability_reasons="wording", estimate=0.25),
    )
    sources = (record("XAA"), record("XAA", 2023), record("XBB"), record("XCC"))
    levels = {source.submission_id: "disaggregated" for source in sources}
    return protect(estimates, load_profile(), consent_level=levels, framework=load_framework()).values
