from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from copstats.portal.board.quality import comparability
from copstats.store.home import Home


def test_an_indicator_counts_once_a_wave_with_its_worst_class(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home", create=True)
    assert comparability(home) == {}
    rows = [
        ("KEN", "2026", "ACC1", "A"),
        ("KEN", "2026", "ACC1", "B"),
        ("KEN", "2026", "ACC2", "A"),
        ("KEN", "2026", "RSK1", "B"),
        ("KEN", "2024", "ACC1", "C"),
        ("UGA", "2026", "ACC1", None),
    ]
    names = ("ref_area", "time_period", "indicator", "comparability")
    table = pa.table(
        {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    )
    for label, found in (("2026-Q3", table.slice(4)), ("2026-Q4", table)):
        folder = home.path / "releases" / label / "parquet"
        folder.mkdir(parents=True)
        pq.write_table(found, folder / "indicator_value.parquet")
    assert comparability(home) == {("KEN", "2026"): {"A": 1, "B": 2}, ("KEN", "2024"): {"C": 1}}
