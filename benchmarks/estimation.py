"""Estimates with standard errors: copstats, its peers, and the least that any program must do.

    python benchmarks/estimation.py --records 1000000 --peers PYTHON --rscript --out FOLDER

All on the same generated data, in one run: 40 countries, 20 binary indicators (half with item non-response),
26 domains of 8 disaggregations: 20,800 estimates with standard error and degrees of freedom. The floor is one
plain ``GROUP BY stratum, psu`` of the 40 sums of all indicators, and a scan that only adds them up.

Floor, scan and copstats start alike: a process of its own with everything imported and a connection open that
has read nothing; from there the same Parquet file. The first work in the process counts as cold, the best of
``--warm`` more as warm. All take turns for ``--rounds``, and the least of each figure counts.

R survey is run where ``--rscript`` is given and R found; samplics and svy where ``--peers`` names an
interpreter that has them: once, cold; R's reading and design are not counted. Peers run on one indicator
(samplics on the 40 totals of one) and their time is multiplied, unless ``--full``. ``--out`` names a folder
for the table and a drawing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

COUNTRIES, STRATA, PER_PSU, INDICATORS = 40, 20, 25, 20
SIZES = {"sex": 2, "age": 3, "urban": 2, "quint": 5, "disab": 2, "region": 5}
BLOCK = 500_000
"""Records together unless ``--block`` says otherwise: what bounds the memory."""

ENGINES = ("scan", "grouped", "copstats")
CLOCKS = ("wall", "cpu", "warm_wall", "warm_cpu")
NAMES = [f"y{k:02d}" for k in range(1, INDICATORS + 1)]
DISAGGREGATIONS = [[], ["sex"], ["age"], ["sex", "age"], ["urban"], ["quint"], ["disab"], ["region"]]


def generate(records: int, path: Path) -> int:
    """Write synthetic records, one row group and more a country; return how many."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(7)
    psus = STRATA * max(2, records // (COUNTRIES * STRATA * PER_PSU))
    writer, written = None, 0
    for country in range(COUNTRIES):
        psu = np.repeat(np.arange(psus), random.integers(PER_PSU - 8, PER_PSU + 9, psus))
        n, stratum = len(psu), psu // (psus // STRATA)
        sex, age = (random.integers(0, SIZES[name], n, dtype=np.int8) for name in ("sex", "age"))
        quint = np.clip(np.rint(random.normal(random.normal(2, 1, psus)[psu], 0.9)), 0, 4).astype(np.int8)
        weight = random.lognormal(0, 0.5, psus)[psu] * random.uniform(0.6, 1.6, n) * (100 + 10 * stratum)
        columns = {
            "country": np.full(n, country, np.int16),
            "stratum": (country * STRATA + stratum).astype(np.int32),
            "psu": (country * psus + psu).astype(np.int32),
            "w": np.round(weight, 4),
            "sex": sex,
            "age": age,
            "urban": (stratum % 2).astype(np.int8),
            "quint": quint,
            "disab": (random.random(n) < 0.08).astype(np.int8),
            "region": (stratum % 5).astype(np.int8),
        }
        of_psu = random.normal(0, 0.35, psus)[psu]
        for k, name in enumerate(NAMES):
            logit = [-4.5, -2, -1, 0, 1, 2][k % 6] + 0.1 * (age - 1) + 0.15 * sex + 0.08 * quint + of_psu
            y = (random.random(n) < 1 / (1 + np.exp(-logit))).astype(np.int8)
            columns[name] = pa.array(y, mask=random.random(n) < 0.07 if k >= INDICATORS // 2 else None)
        table = pa.table(columns)
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=122_880)
        written += n
    writer.close()
    return written


def connection(threads: int) -> Any:
    import duckdb

    opened = duckdb.connect()
    opened.execute(f"SET threads = {threads}; SET enable_progress_bar = false")
    return opened


def sums() -> str:
    return ", ".join(
        f"sum(w * {y}) AS a_{y}, sum(CASE WHEN {y} IS NOT NULL THEN w END) AS b_{y}" for y in NAMES
    )


def scan(opened: Any, path: Path) -> int:
    return len(opened.execute(f"SELECT {sums()} FROM '{path}'").fetchall())


def grouped(opened: Any, path: Path) -> int:
    query = f"SELECT stratum, psu, {sums()} FROM '{path}' GROUP BY stratum, psu"
    opened.execute(f"CREATE OR REPLACE TEMP TABLE psus AS {query}")
    return int(opened.execute("SELECT count(*) FROM psus").fetchall()[0][0])


def blocks(opened: Any, path: Path, together: int) -> Iterator[str]:
    """Queries of whole countries, divided evenly into blocks of about so many records."""
    counts = f"SELECT country, count(*) FROM '{path}' GROUP BY country ORDER BY country"
    countries, records = zip(*opened.execute(counts).fetchall(), strict=True)
    parts = max(1, round(sum(records) / together))
    first, held = countries[0], 0
    for country, count in zip(countries, records, strict=True):
        held += count
        if held * parts >= sum(records) or country == countries[-1]:
            yield f"SELECT *, w AS weight FROM '{path}' WHERE country BETWEEN {first} AND {country}"
            first, held = country + 1, 0


def ours(opened: Any, path: Path, together: int = BLOCK) -> int:
    from copstats.analyse.cells import Measure
    from copstats.analyse.design import design_sql
    from copstats.analyse.domains import Axis, Disaggregation
    from copstats.analyse.variance import estimate_measures

    axes = {
        name: Axis(name, f"dim_{name}", f"{name} + 1", tuple(map(str, range(size))))
        for name, size in SIZES.items()
    }
    domains = [
        Disaggregation("_".join(d) or "total", tuple(axes[name] for name in d)) for d in DISAGGREGATIONS
    ]
    rows = 0
    for block in blocks(opened, path, together):
        design = design_sql([f"({block})"], wave_no="country")
        measures = [Measure(name, name) for name in NAMES]
        rows += estimate_measures(opened, block, design, measures, domains, wave_no="country").num_rows
    return rows


def svy(path: Path, indicators: int) -> int:
    import polars
    from svy import Design, Sample

    sample = Sample(polars.read_parquet(path), Design(stratum="stratum", psu="psu", wgt="w"))
    rows = 0
    for name in NAMES[-indicators:]:
        for d in DISAGGREGATIONS:
            found = sample.estimation.mean(name, by=["country", *d], drop_nulls=True)
            rows += len(found.estimates) if hasattr(found, "estimates") else len(found)
    return rows


def samplics(path: Path, indicators: int) -> int:
    import pyarrow.parquet as pq
    from samplics.estimation import TaylorEstimator
    from samplics.utils.types import PopParam

    table = pq.read_table(path)
    columns = {name: table[name].to_numpy() for name in ("w", "stratum", "psu", "country")}
    rows = 0
    for name in NAMES[:indicators]:
        estimator = TaylorEstimator(PopParam.mean)
        estimator.estimate(
            y=table[name].to_numpy(),
            samp_weight=columns["w"],
            stratum=columns["stratum"],
            psu=columns["psu"],
            domain=columns["country"],
        )
        rows += len(estimator.point_est)
    return rows


R_SURVEY = """
suppressMessages(library(survey)); a <- commandArgs(TRUE); k <- as.integer(a[2])
x <- read.csv(a[1]); rows <- 0
D <- svydesign(ids = ~psu, strata = ~stratum, weights = ~w, data = x)
t0 <- proc.time()
for (y in tail(grep("^y[0-9]", names(x), value = TRUE), k))
  for (d in list("", "+ sex", "+ age", "+ sex + age", "+ urban", "+ quint", "+ disab", "+ region")) {
    r <- svyby(as.formula(paste0("~", y)), as.formula(paste("~ country", d)), D, svymean, na.rm = TRUE)
    rows <- rows + nrow(r) }
took <- proc.time() - t0
cat(sprintf('{"wall": %f, "cpu": %f, "rows": %d, "peak": null}', took[3], sum(took[1:2]), rows))
"""


def one(name: str, path: Path, options: argparse.Namespace) -> None:
    """Run one program and print what it took, cold and warm."""
    engine = name in ENGINES
    opened = connection(options.threads[0]) if engine else None
    if engine:  # what is measured is the work, not the start
        import numpy as np
        import pyarrow as pa

        importlib.import_module("copstats.analyse.variance")
        pa.array(np.zeros(1))  # imports pandas, where it is installed
    run: Callable[[], int] = {
        "scan": lambda: scan(opened, path),
        "grouped": lambda: grouped(opened, path),
        "copstats": lambda: ours(opened, path, options.block),
        "svy": lambda: svy(path, options.indicators),
        "samplics": lambda: samplics(path, options.indicators),
    }[name]
    took = timed(run)
    if engine and options.warm:
        again = [timed(run) for _ in range(options.warm)]
        took |= {f"warm_{clock}": min(one[clock] for one in again) for clock in ("wall", "cpu")}
    print(json.dumps(took | {"peak": peak()}))


def timed(run: Callable[[], int]) -> dict[str, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    rows = run()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "rows": rows}


def peak() -> float:
    """Peak memory of this process in MB."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text()) if status.exists() else None
    return (int(found[1]) if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) / 1024


def measured(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no message"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def programs(options: argparse.Namespace, path: Path) -> dict[str, tuple[list[str], float]]:
    """Name -> command, and what its time is multiplied by."""
    me, indicators = [str(Path(__file__).resolve()), "--data", str(path)], INDICATORS if options.full else 1
    out: dict[str, tuple[list[str], float]] = {}
    for threads in options.threads:
        for name in ENGINES:
            command = [sys.executable, *me, "--one", name, "--threads", str(threads)]
            out[f"{name}, {threads}"] = (
                [*command, "--block", str(options.block), "--warm", str(options.warm)],
                1,
            )
    times = INDICATORS / indicators
    if options.peers:
        more = ["--indicators", str(indicators)]
        out["svy"] = ([options.peers, *me, "--one", "svy", *more], times)
        out["samplics"] = ([options.peers, *me, "--one", "samplics", *more], times * 26)
    if options.rscript and shutil.which("Rscript"):
        csv = path.with_suffix(".csv")
        connection(1).execute(f"COPY (FROM '{path}') TO '{csv}' (NULLSTR 'NA')")
        out["R survey"] = (["Rscript", "-e", R_SURVEY, str(csv), str(indicators)], times)
    return out


def table(found: dict[str, dict[str, Any]], multiplied: dict[str, float]) -> str:
    """The figures as a table; ratios are to the floor with as many threads, of peers to copstats."""
    lines = [
        "| program, threads | cold: wall s | CPU s | warm: wall s | CPU s | x floor: cold wall | CPU "
        "| warm wall | CPU | peak MB |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, took in found.items():
        if "failed" in took:
            lines.append(f"| {name} | failed: {took['failed']} |" + " |" * 8)
            continue
        factor = multiplied[name]
        seconds = [f"{took[c] * factor:.2f}" if c in took else "" for c in CLOCKS]
        floor = found.get(f"grouped, {name.rpartition(', ')[2]}", {})
        ratios = [f"{took[c] / floor[c]:.1f}" if c in took and c in floor else "" for c in CLOCKS]
        memory = f"{took['peak']:.0f}" if took["peak"] else ""
        note = "" if factor == 1 else f" (one part, times {factor:.0f})"
        lines.append(f"| {name}{note} | " + " | ".join([*seconds, *ratios, memory]) + " |")
    return "\n".join(lines) + "\n"


def drawing(found: dict[str, dict[str, Any]], multiplied: dict[str, float]) -> str:
    """A bar chart of the cold wall times on a logarithmic scale, as SVG."""
    bars = {name: took["wall"] * multiplied[name] for name, took in found.items() if "wall" in took}
    low, high = math.floor(math.log10(min(bars.values()))), math.ceil(math.log10(max(bars.values())))

    def x(seconds: float) -> float:
        return 140 + 500 * (math.log10(seconds) - low) / (high - low)

    bottom = 40 + 24 * len(bars)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {bottom + 30}" font-family="sans-serif"'
        ' font-size="12" role="img">',
        "<title>Seconds for 20,800 estimates with standard errors (logarithmic)</title>",
        '<text x="10" y="18" font-size="14">Seconds for 20,800 estimates with standard errors</text>',
    ]
    for power in range(low, high + 1):
        at = x(10.0**power)
        parts.append(f'<path d="M{at:.1f} 30V{bottom}" stroke="#ccc"/>')
        parts.append(f'<text x="{at:.1f}" y="{bottom + 16}" text-anchor="middle">{10.0**power:g}</text>')
    for row, (name, seconds) in enumerate(bars.items()):
        y, colour = 36 + 24 * row, "#1b6ca8" if name.startswith("copstats") else "#8a8a8a"
        parts.append(f'<text x="130" y="{y + 13}" text-anchor="end">{name}</text>')
        parts.append(f'<rect x="140" y="{y}" width="{x(seconds) - 140:.1f}" height="18" fill="{colour}"/>')
        parts.append(f'<text x="{x(seconds) + 5:.1f}" y="{y + 13}">{seconds:,.2f}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def best(before: dict[str, Any] | None, took: dict[str, Any]) -> dict[str, Any]:
    """The least of each time of two runs, and the larger memory."""
    if before is None or "failed" in before or "failed" in took:
        return took if before is None or "failed" in before else before
    least = {clock: min(before[clock], took[clock]) for clock in CLOCKS if clock in took}
    return took | least | {"peak": max(before["peak"] or 0, took["peak"] or 0) or None}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=float, default=1e6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm", type=int, default=3, help="more runs in each process")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--block", type=int, default=BLOCK, help="records together; fewer take less memory")
    parser.add_argument("--peers", help="Python interpreter that has samplics and svy")
    parser.add_argument("--rscript", action="store_true", help="run R survey too, where R is installed")
    parser.add_argument("--full", action="store_true", help="peers compute all indicators")
    parser.add_argument("--out", type=Path, help="folder for estimation.md and estimation.svg")
    parser.add_argument("--data", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--indicators", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        one(options.one, options.data, options)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.parquet"
        print(f"{generate(int(options.records), path):,} records, blocks of {options.block:,}")
        todo = programs(options, path)
        found: dict[str, dict[str, Any]] = {}
        for turn in range(options.rounds):
            for name, (command, _) in todo.items():
                if turn == 0 or name.startswith(ENGINES):
                    found[name] = best(found.get(name), measured(command))
    multiplied = {name: factor for name, (_, factor) in todo.items()}
    print(table(found, multiplied))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "estimation.md").write_text(table(found, multiplied), "utf-8")
        (options.out / "estimation.svg").write_text(drawing(found, multiplied), "utf-8")


if __name__ == "__main__":
    main()
