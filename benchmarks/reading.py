"""Reading data files: processor seconds, wall seconds and peak memory, beside the bare parser.

    python benchmarks/reading.py [--scale 1.0] [--only sav,csv,parquet]

Each contender runs in a process of its own; the time of subprocesses that it starts counts. The files are
made from a seed: `.sav` 100,000 x 300, CSV and Parquet 1,000,000 x 60.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

SIZES = {"sav": (100_000, 300), "csv": (1_000_000, 60), "parquet": (1_000_000, 60)}
BARE = {
    "sav": "import pyreadstat; pyreadstat.read_sav({path!r})",
    "csv": "import pyarrow.csv; pyarrow.csv.read_csv({path!r})",
    "parquet": "import pyarrow.parquet; pyarrow.parquet.read_table({path!r})",
}
COPSTATS = """
from pathlib import Path
from copstats.collect.package import Folder
from copstats.collect.readers import open_file
from copstats.framework.manifest import DataFile
path = Path({path!r})
with open_file(Folder(path.parent).data_file(path.name, ""), DataFile(path=path.name)) as stream:
    assert sum(chunk.num_rows for chunk in stream.chunks()) == {rows}
"""


def made(kind: str, folder: Path, scale: float) -> tuple[Path, int]:
    """Write a file of nine tenths codes with some blanks, and a tenth weights and texts."""
    rows, columns = int(SIZES[kind][0] * scale), SIZES[kind][1]
    chance = np.random.default_rng(20260331)
    blank = chance.random(rows) < 0.02
    table: dict[str, pa.Array] = {}
    for i in range(columns):
        if i % 20 == 0:
            table[f"w{i}"] = pa.array(chance.gamma(2, 1, rows).round(4))
        elif i % 20 == 1:
            table[f"t{i}"] = pa.array(chance.integers(0, 50_000, rows)).cast(pa.string())
        else:
            table[f"q{i}"] = pa.array(chance.integers(1, 6, rows), mask=blank)
    path = folder / f"child.{kind}"
    write(pa.table(table), path)
    return path, rows


def write(table: pa.Table, path: Path) -> None:
    """Write the table in the format of its extension."""
    match path.suffix:
        case ".csv":
            pacsv.write_csv(table, path)
        case ".parquet":
            pq.write_table(table, path)
        case _:
            import pyreadstat

            codes = {
                name: {1: "Yes", 2: "No", 8: "Does not know"} for name in table.column_names if name[0] == "q"
            }
            pyreadstat.write_sav(table.to_pandas(), str(path), variable_value_labels=codes)


def measured(code: str) -> tuple[float, float, int]:
    """Run code in a process; return processor seconds, wall seconds and peak MiB, subprocesses included."""
    before, begun = os.times(), time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code])
    peak = [0]
    watcher = threading.Thread(target=watch, args=(process, peak))
    watcher.start()
    process.wait()
    watcher.join()
    after = os.times()
    assert process.returncode == 0
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return spent, time.perf_counter() - begun, peak[0] // 2**20


def watch(process: subprocess.Popen[bytes], peak: list[int]) -> None:
    """Keep the largest sum of resident memory of a process and its children."""
    while process.poll() is None:
        peak[0] = max(peak[0], resident(process.pid))
        time.sleep(0.02)


def resident(pid: int) -> int:
    """Return the resident bytes of a process and its children (Linux)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(resident(int(child)) for child in children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the records")
    parser.add_argument("--only", default=",".join(SIZES))
    asked = parser.parse_args()
    print(f"{'':22}{'CPU s':>8}{'wall s':>8}{'MiB':>8}{'ratio':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for kind in asked.only.split(","):
            path, rows = made(kind, Path(folder), asked.scale)
            print(f"{kind} {rows:,} x {SIZES[kind][1]} ({path.stat().st_size / 2**20:.0f} MiB)")
            bare = measured(BARE[kind].format(path=str(path)))
            ours = measured(COPSTATS.format(path=str(path), rows=rows))
            for name, (cpu, wall, memory) in (("parser alone", bare), ("copstats", ours)):
                print(f"  {name:20}{cpu:8.2f}{wall:8.2f}{memory:8}{cpu / bare[0]:8.2f}")
            path.unlink()


if __name__ == "__main__":
    main()
