from __future__ import annotations

from pathlib import Path

import pytest

from copstats.disseminate.published import Published, Publisher, Reading, read_published
from copstats.disseminate.site import write_site
from tests.disseminate.conftest import AREAS

PUBLISHER = Publisher("Office & partners", "data@example.org", "https://data.example.org/cop", "CC-BY-4.0")


@pytest.fixture(scope="session")
def published(release: Path) -> Published:
    return read_published(release, Reading(AREAS, PUBLISHER))


@pytest.fixture(scope="session")
def site(published: Published, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of the release in two languages; tests only read it."""
    folder = tmp_path_factory.mktemp("release")
    write_site(folder, published, ("en", "ar"))
    return folder / "site"
