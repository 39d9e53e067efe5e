from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference results and real public data that stands beside the checkout."""
    folder = Path(os.environ.get("COPSTATS_SHARED", ROOT.parent / "shared"))
    if not (folder / "reference").is_dir():
        pytest.skip(
            "no reference data: set COPSTATS_SHARED to the folder that holds `reference/` and `data/`"
        )
    return folder


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
