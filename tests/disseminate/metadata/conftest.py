from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copstats.disseminate.metadata import write_metadata
from copstats.disseminate.published import Published, Publisher, Reading, read_published
from tests.disseminate.conftest import AREAS

PUBLISHER = Publisher(
    name="Bureau « d'essai » <b> & اتحاد",
    contact="statistics@example.org",
    address="https://example.org/releases",
    licence="CC-BY-4.0",
)


@pytest.fixture(scope="session")
def published(release: Path) -> Published:
    return read_published(release, Reading(AREAS, PUBLISHER))


@pytest.fixture(scope="session")
def described(release: Path, published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the release with its metadata."""
    folder = shutil.copytree(release, tmp_path_factory.mktemp("described") / "2026-Q4")
    (folder / "sdmx").mkdir()
    (folder / "sdmx" / "data-2.1.xml").touch()
    write_metadata(folder, published)
    return folder
