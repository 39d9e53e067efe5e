"""What the table of costs says follows from published cells, and from nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from copstats.disclose import load_profile
from copstats.disseminate.costs import suppression
from copstats.framework import load_framework
from copstats.store.schemas import INDICATOR_VALUE
from tests.disclose.estimates import SUBMISSION
from tests.disseminate.conftest import build

PROFILE = load_profile()


def published(**changed: Any) -> dict[str, Any]:
    """A published cell as it stands in a release; the plain one is a shown national value."""
    plain = {
        **dict.fromkeys(INDICATOR_VALUE.names),
        **dict.fromkeys(("sex", "age", "residence", "wealth_quintile"), "_T"),
        **dict.fromkeys(("disability", "education", "region"), "_T"),
        **{"ref_area": "XAA", "indicator": "RCD4", "time_period": "2026", "survey": "COPS"},
        **{"unit_measure": "PCNT", "value": 24.6, "obs_status": "A", "obs_conf": "F"},
        **{"standardised": "N", "source": SUBMISSION},
    }
    return plain | changed


def withheld(reason: str, **changed: Any) -> dict[str, Any]:
    code = PROFILE.reasons[reason]
    status = {"value": None, "obs_status": code.obs_status, "obs_conf": code.obs_conf, "reason": reason}
    return published(**status | changed)


def of_release(*cells: dict[str, Any], raised: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    rows = pa.Table.from_pylist(list(cells), schema=INDICATOR_VALUE)
    return suppression(rows, load_framework(), PROFILE, raised).to_pylist()


def needed(value: float | None, reason: str, **changed: Any) -> tuple[int | None, str | None]:
    (row,) = of_release(published(value=value), withheld(reason, sex="F", **changed))
    return row["answers_needed"], row["n_band_needed"]


def test_cells_are_counted_by_survey_indicator_and_reason() -> None:
    sexes = [withheld("n", sex="F"), withheld("n", sex="M")]
    rows = of_release(
        published(), *sexes, withheld("secondary", age="Y9T11"), withheld("not_asked", age="Y12T14")
    )
    counted = [(row["indicator"], row["reason"], row["rule"], row["cells"], row["of_cells"]) for row in rows]
    assert counted == [("RCD4", "n", "R1", 2, 5), ("RCD4", "secondary", "R10", 1, 5)]
    other = of_release(*sexes, withheld("n", sex="F", survey="GSHS", source="XAA_2026_GSHS_v01_M"))
    assert [(row["survey"], row["cells"]) for row in other] == [("COPS", 2), ("GSHS", 1)]


def test_answers_that_a_cell_needs_by_hand() -> None:
    """Tier A: at least 25, and 5 answers of the rarer kind: 5 / 0.032 = 156.25."""
    assert needed(24.6, "n") == (25, "25-49")
    assert needed(3.2, "n") == (157, "100-249")
    assert needed(3.2, "low") == (157, "100-249")
    assert needed(96.8, "high") == (157, "100-249")
    assert needed(20.0, "low") == (25, "25-49"), "5 / 0.2 is 25 and no more"


def test_nothing_is_said_where_it_does_not_follow() -> None:
    """Of a withheld national value no share is known; the other rules ask for no answers."""
    assert needed(None, "low") == needed(0.0, "low") == needed(100.0, "high") == (None, None)
    for reason in ("psus", "dominance", "no_variance", "crossing", "secondary", "unknown", "unreliable"):
        assert needed(24.6, reason) == (None, None)
    assert needed(10.0, "n", survey="GSHS", source="XAA_2026_GSHS_v01_M") == (None, None), "of another survey"


def test_a_survey_of_many_of_its_population_is_judged_by_tier_b() -> None:
    cells = (published(), withheld("n", sex="F"))
    assert [(row["tier"], row["answers_needed"]) for row in of_release(*cells)] == [("A", 25)]
    (row,) = of_release(*cells, raised=(SUBMISSION,))
    assert (row["tier"], row["answers_needed"]) == ("B", 50)


def test_it_follows_from_the_published_table(release: Path) -> None:
    """Whoever has a release can make it again."""
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        values = connection.sql("FROM indicator_value").to_arrow_table().cast(INDICATOR_VALUE)
        stored = connection.sql("FROM suppression").fetchall()
    again = suppression(values, load_framework(), PROFILE)
    assert stored == [tuple(row.values()) for row in again.to_pylist()]
    assert stored


def test_the_named_profile_is_named(tmp_path: Path, values: pa.Table) -> None:
    folder = build(tmp_path / "named", values, disclosure_profile="nchs")
    with duckdb.connect(str(folder / "copstats.duckdb"), read_only=True) as connection:
        (row,) = connection.sql("SELECT profile, profile_version FROM release").fetchall()
    assert row == (load_profile(named="nchs").id, load_profile(named="nchs").version)
