"""The disclosure gate on made-up waves: time, share of complementary suppression, what stays unresolved.

    python benchmarks/disclosure.py --waves 40

Each wave is a survey of ``--records`` children drawn anew from a sample submission, with unequal weights, and
estimated as any wave is: every indicator of the framework by every table, and further indicators under codes
of their own until there are 60. Drawing and estimating are not timed. The gate then runs on one wave, and on
all of them, in one process. It ends when nothing is unresolved; conceded are sums of which definitions and
numbers of respondents tell more than the rules allow, whatever is published.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from copstats.analyse.wave import estimate_wave
from copstats.collect.harmonise import harmonise
from copstats.collect.submission import open_submission
from copstats.disclose import load_profile, protect
from copstats.framework import load_framework
from copstats.framework.areas import load_areas
from copstats.store.engine import memory_connection
from copstats.store.schemas import DIMENSIONS

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = "XAA_2025_COPS_v01"
INDICATORS = 60


def waves(count: int, records: int) -> list[pa.Table]:
    """Return the estimates of made-up waves."""
    framework = load_framework()
    areas = load_areas(ROOT / "schemas" / "areas.csv", ROOT / "sample_data" / "areas.csv")
    delivery = open_submission(ROOT / "sample_data" / "submissions" / SAMPLE, areas=areas)
    with memory_connection() as connection:
        harmonise(delivery, framework, connection)
        children = connection.table("child").to_arrow_table()
    found = []
    for number in range(count):
        random = np.random.default_rng(number)
        drawn = children.take(random.integers(0, children.num_rows, records))
        weight = drawn["weight"].to_numpy() * random.lognormal(0, 0.3, records)
        drawn = drawn.set_column(drawn.schema.get_field_index("weight"), "weight", pa.array(weight))
        estimates = estimate_wave(
            drawn, None, delivery.manifest, delivery.crosswalk, framework, as_of_year=2026
        )
        found.append(named(_filled(estimates), f"XAA_{2000 + number}_COPS_v01_M", 2000 + number, "XAA"))
    return found


def _filled(estimates: pa.Table) -> pa.Table:
    """Add indicators of other codes, with the cells of existing ones, until there are enough."""
    estimated = estimates.filter(pc.equal(estimates["state"], "estimated"))
    codes = sorted(set(estimated["indicator"].to_pylist()))
    place = estimates.schema.get_field_index("indicator")
    parts = [estimated]
    for number in range(INDICATORS - len(codes)):
        copied = estimated.filter(pc.equal(estimated["indicator"], codes[3 * number]))
        name = pa.array([f"XTR{number}"] * copied.num_rows)
        parts.append(copied.set_column(place, estimates.schema.field(place), name))
    return pa.concat_tables(parts)


def named(estimates: pa.Table, submission: str, year: int, area: str) -> pa.Table:
    """Return estimates as if they were those of another submission."""
    for name, value, kind in (
        ("submission_id", submission, pa.string()),
        ("ref_area", area, pa.string()),
        ("reference_year", year, pa.int32()),
    ):
        place = estimates.schema.get_field_index(name)
        column = pa.array([value] * estimates.num_rows, kind)
        estimates = estimates.set_column(place, estimates.schema.field(place), column)
    return estimates


def run(estimates: pa.Table, title: str) -> None:
    """Time the gate and print what it withheld."""
    framework, profile = load_framework(), load_profile()
    consent = dict.fromkeys(set(estimates["submission_id"].to_pylist()), "disaggregated")
    start = time.perf_counter()
    found = protect(estimates, profile, consent_level=consent, framework=framework)  # type: ignore[arg-type]
    seconds = time.perf_counter() - start
    cells = found.values.num_rows
    reasons = Counter(found.values["reason"].to_pylist())
    groups = len(set(zip(*(estimates[name].to_pylist() for name in DIMENSIONS), strict=True)))
    print(f"{title}: {cells:,} cells, {INDICATORS} indicators, {groups} groups: {seconds:.1f} s")
    for reason, count in reasons.most_common():
        print(f"  {reason or 'published':12} {count:>8,} {count / cells:7.1%}")
    print(f"  conceded     {found.conceded:>8,}")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--waves", type=int, default=40)
    parser.add_argument("--records", type=int, default=1500)
    chosen = parser.parse_args()
    made = waves(chosen.waves, chosen.records)
    run(made[0], "one wave")
    run(pa.concat_tables(made), f"{chosen.waves} waves")


if __name__ == "__main__":
    main()
