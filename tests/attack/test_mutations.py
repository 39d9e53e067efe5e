"""What is withheld to protect others is needed: without any one of these cells the audit fails.

Number 11 of the list of attacks in docs/disclosure.md.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from copstats.analyse.wave import estimate_wave
from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.disclose import protect
from copstats.disclose.audit import audit_values
from copstats.framework.areas import load_areas
from copstats.store.engine import memory_connection
from tests.attack.linear import Key, key_of
from tests.attack.surveys import FRAMEWORK, PROFILE, Twin, survey, unprotected

ROOT = Path(__file__).parents[2]


def places(table: pa.Table) -> dict[tuple[str, Key], int]:
    return {(row["indicator"], key_of(row)): k for k, row in enumerate(table.to_pylist())}


def with_row(table: pa.Table, place: int, other: pa.Table, other_place: int) -> pa.Table:
    parts = [table.slice(0, place), other.slice(other_place, 1), table.slice(place + 1)]
    return pa.concat_tables(parts)


def unseen(estimates: pa.Table) -> tuple[int, list[tuple[str, Key]]]:
    """Publish each complementary suppression again, alone.

    Returns:
        How many there are, and those of which the audit does not see that they are missing.
    """
    (submission,) = set(estimates["submission_id"].to_pylist())
    found = protect(estimates, PROFILE, consent_level={submission: "disaggregated"}, framework=FRAMEWORK)
    release, twin = Twin(found.values, found.attacker), unprotected(estimates)
    assert audit_values(release.values, release.attacker, FRAMEWORK, PROFILE).passed
    values, known = places(release.values), places(release.attacker)
    open_values, open_known = places(twin.values), places(twin.attacker)
    rows = release.values.to_pylist()
    withheld = [at for at, place in values.items() if rows[place]["reason"] == "secondary"]
    passed = [
        at
        for at in withheld
        if audit_values(
            with_row(release.values, values[at], twin.values, open_values[at]),
            with_row(release.attacker, known[at], twin.attacker, open_known[at]),
            FRAMEWORK,
            PROFILE,
        ).passed
    ]
    return len(withheld), passed


def sample(name: str) -> pa.Table:
    """Return the estimates of a sample submission."""
    areas = load_areas(ROOT / "schemas" / "areas.csv", ROOT / "sample_data" / "areas.csv")
    delivery = open_submission(ROOT / "sample_data" / "submissions" / name, areas=areas)
    with memory_connection() as connection:
        harmonise(delivery, FRAMEWORK, connection)
        children = connection.table("child").to_arrow_table()
    return estimate_wave(children, None, delivery.manifest, delivery.crosswalk, FRAMEWORK, as_of_year=2026)


def test_11_without_any_one_complementary_suppression_the_audit_fails() -> None:
    """Of indicators that are related: the others are systems of their own."""
    estimates = survey(1500).estimates()
    related = pc.match_substring_regex(estimates["indicator"], "^(RCN|RCT|SKL|HRM|HLP)")
    count, passed = unseen(estimates.filter(related))
    assert count > 5 and not passed


@pytest.mark.nightly
@pytest.mark.parametrize("name", ["XAA_2025_COPS_v01", "XEE_2025_COPS_v01"])
def test_11_of_a_sample_wave(name: str) -> None:
    """Relations that rest on filters, and differences of groups that are no cells, count here."""
    count, passed = unseen(sample(name))
    assert count > 20 and not passed
