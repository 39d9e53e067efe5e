"""A release of all indicators x 60 countries x 3 rounds, of which one wave is new: time and memory.

    python benchmarks/release.py --countries 60 --rounds 3

Every wave holds the estimates of a made-up survey under another country and year. A first release without
forms asks the gate about every wave; then one wave comes in a new version, and the release of the next
quarter is built with all forms: figures of the other waves are carried forward.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from msgspec import structs

from benchmarks.disclosure import named, waves
from copstats import steps
from copstats.collect.submission import open_submission
from copstats.framework import load_areas, load_framework
from copstats.steps.common import estimates_fingerprint
from copstats.store.home import Home
from copstats.store.rows import NewSubmission, State

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "sample_data" / "submissions" / "XAA_2025_COPS_v01"
YEARS = (2022, 2024, 2026)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--countries", type=int, default=60)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--records", type=int, default=1500)
    asked = options.parse_args()
    (estimates,) = waves(1, asked.records)
    known = pa.array(list(load_framework().indicators))
    estimates = estimates.filter(pc.is_in(estimates["indicator"], known))
    with tempfile.TemporaryDirectory() as folder:
        home = Home.open(Path(folder) / "home", create=True)
        home.change_settings(review_days=0, release_forms=())
        areas = sorted(load_areas())[: asked.countries]
        for area in areas:
            for year in YEARS[: asked.rounds]:
                enter(home, estimates, area, year, 1)
        began = time.perf_counter()
        steps.publish(home.path, "2026-Q3", by="benchmark")
        print(f"first release, gate asked about every wave: {time.perf_counter() - began:.0f} s")
        enter(home, estimates, areas[0], YEARS[0], 2)
        home.change_settings(release_forms=("sdmx", "metadata", "site", "reports"))
        began = time.perf_counter()
        published = steps.publish(home.path, "2026-Q4", by="benchmark")
        seconds = time.perf_counter() - began
        size = sum(path.stat().st_size for path in published.folder.rglob("*") if path.is_file())
        kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        own, child = (resource.getrusage(kind).ru_maxrss / 1e3 for kind in kinds)
        count = len(areas) * asked.rounds
        print(f"{count} waves, {count * estimates.num_rows:,} rows: {seconds:.0f} s, {size / 1e6:.0f} MB")
        print(f"peak memory {own:.0f} MB, of the largest child {child:.0f} MB")
        print(f"waves carried {sum(one.outcome == 'carried' for one in published.settled)}")
        for kind in ("*/areas/*.html", "*/indicators/*.html", "*/regions/*.html", "data/compare-*.js"):
            heaviest = max(path.stat().st_size for path in (published.folder / "site").glob(kind))
            print(f"heaviest {kind}: {heaviest / 1e6:.2f} MB")


def enter(home: Home, estimates: pa.Table, area: str, year: int, version: int) -> None:
    """Register, accept and estimate a wave, without its records."""
    framework = load_framework()
    delivery = open_submission(SAMPLE, areas=load_areas(ROOT / "sample_data" / "areas.csv"))
    manifest = structs.replace(delivery.manifest, ref_area=area, reference_year=year, version=version)
    new = NewSubmission.of_survey(
        manifest,
        delivery.crosswalk,
        framework_fingerprint=framework.fingerprint,
        content_hash=f"{area}{year}{version}".encode().hex().ljust(64, "0"),
        variables={},
        records={"child": 1500},
    )
    home.registry.register(new, State.WAITING)
    wave = home.registry.decide(new.id, State.ACCEPTED, who="benchmark")
    home.waves.write(new.id, area, {"child": pa.table({"child_id": ["x"]})})
    found = named(estimates, new.id, year, area)
    made_from = estimates_fingerprint(home, wave, 2026)
    home.warehouse.write(new.id, made_from, found)


if __name__ == "__main__":
    main()
