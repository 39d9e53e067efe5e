from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from copstats.store.home import Home
from copstats.store.schemas import ESTIMATES

WAVE = "XAA_2026_COPS_v01_M"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home.open(tmp_path / "home", create=True)


@pytest.fixture
def estimates() -> Callable[..., pa.Table]:
    """Make a table of schema ESTIMATES: one row an indicator."""

    def make(submission_id: str = WAVE, values: tuple[float, ...] = (0.25,), **changes: Any) -> pa.Table:
        texts = {f.name: "_T" for f in ESTIMATES if f.type == pa.string() and not f.nullable}
        counts = {f.name: 30 for f in ESTIMATES if f.type == pa.int64() and not f.nullable}
        row = {
            **texts,
            **counts,
            "submission_id": submission_id,
            "reference_year": 2026,
            "state": "estimated",
        }
        rows = [{**row, "indicator": f"I{n}", "estimate": value, **changes} for n, value in enumerate(values)]
        return pa.Table.from_pylist(rows, schema=ESTIMATES)

    return make
