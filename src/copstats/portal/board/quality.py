"""Quality at a glance: what the last published release says of a wave."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.compute as pc
import pyarrow.parquet as pq

from copstats.store.home import Home

if TYPE_CHECKING:
    from copstats.store.rows import Submission

Classes = Mapping[str, int]
"""Class of comparability -> number of indicators of a wave in it."""


def response_rate(submission: Submission) -> float | None:
    """Return the share of the sample that answered, as the manifest says; None where it does not."""
    stated = submission.manifest.get("response_rate") or {}
    return stated.get("overall")


def comparability(home: Home) -> Mapping[tuple[str, str], Classes]:
    """Return (area, reference year) -> classes of the indicators in the newest release; empty without one."""
    labels = home.releases.labels()
    return _classes(home.releases.folder(labels[-1])) if labels else {}


@lru_cache(maxsize=8)
def _classes(release: Path) -> Mapping[tuple[str, str], Classes]:
    """Read a release once: it never changes."""
    columns = ["ref_area", "time_period", "indicator", "comparability"]
    table = pq.read_table(release / "parquet" / "indicator_value.parquet", columns=columns)
    kept = table.filter(pc.is_valid(table["comparability"]))
    worst = kept.group_by(columns[:3]).aggregate([("comparability", "max")])
    counted = worst.group_by(["ref_area", "time_period", "comparability_max"]).aggregate([([], "count_all")])
    found: dict[tuple[str, str], dict[str, int]] = {}
    for row in counted.sort_by([("comparability_max", "ascending")]).to_pylist():
        wave = found.setdefault((row["ref_area"], str(row["time_period"])), {})
        wave[row["comparability_max"]] = row["count_all"]
    return found
