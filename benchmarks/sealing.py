"""What sealing a large file costs, from the command to the sealed file.

    python benchmarks/sealing.py --records 100000

A submission of the sample data is written many times over, with keys, strata and sampling units of their own,
and sealed by `copstats seal` in a process of its own; importing the libraries is part of it.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SAMPLE = Path(__file__).parents[1] / "sample_data"
SUBMISSION = "XAA_2023_COPS_v01"


def many_times(source: Path, target: Path, records: int) -> int:
    """Write the submission so often that it has as many children; return how many there are."""
    import pandas as pd
    import yaml

    manifest = yaml.safe_load((source / "manifest.yaml").read_text("utf-8"))
    target.mkdir()
    for name in ("manifest.yaml", "crosswalk.yaml"):
        if (source / name).is_file():
            (target / name).write_bytes((source / name).read_bytes())
    path = manifest["files"]["child"]["path"]
    child = pd.read_csv(source / path, dtype=str, keep_default_na=False)
    keys = [column for column in child if column.lower() in ("child_id", "hh_id", "parent_id")]
    design = [manifest["design"][name] for name in ("stratum", "psu") if manifest["design"].get(name)]
    times = -(-records // len(child))
    copies = [
        child.assign(**{name: child[name] + f"-{copy}" for name in (*keys, *design)}) for copy in range(times)
    ]
    pd.concat(copies).head(records).to_csv(target / path, index=False)
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    asked = parser.parse_args()
    copstats = [sys.executable, "-m", "copstats"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        children = many_times(SAMPLE / "submissions" / SUBMISSION, folder / "submission", asked.records)
        office, areas = folder / "office", SAMPLE / "areas.csv"
        for command in (
            ["keys", "create", "--area", SUBMISSION[:3]],
            ["keys", "create", "--receiving"],
            ["keys", "export", "receiving", "--out", str(folder / "receiving.key")],
        ):
            subprocess.run(
                [*copstats, "--home", str(office), *command], check=True, stdout=subprocess.DEVNULL
            )
        seal = ["seal", str(folder / "submission"), "--to", str(folder / "receiving.key"), "--out", name]
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(
            [*copstats, "--home", str(office), *seal, "--areas", str(areas)], check=True, env=os.environ
        )
        took, used = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
        size = next(folder.glob("*.copsealed")).stat().st_size
        print(f"{children:,} children: {took:.1f} s, {cpu:.1f} CPU s, {size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
