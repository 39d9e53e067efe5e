"""What a check costs: CPU seconds of copstats, of Great Expectations alone, of pandera and of pointblank.

    python benchmarks/check.py --records 10000 1000000 --peers PYTHON

Made-up records of the framework's own variables with errors in 0.3 per cent of the cells; each contender runs
in its own process on the same file and is measured after its imports, with the records in its own kind of
table. copstats runs all rules that follow from the framework; the others those that they can express: code
lists, ranges, forms, keys, empty cells, and skips behind a single filter.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

OURS = (
    "copstats",
    "copstats, 10,000 a rule",
    "copstats, no gate",
    "copstats from Parquet",
    "copstats from CSV",
    "GX BOOLEAN_ONLY",
    "GX COMPLETE",
)
PEERS = ("pandera polars", "pandera pandas", "pointblank")
SLOW = {"GX COMPLETE", "pandera pandas", "pointblank"}
CONTENDER = Path(__file__).with_name("check_contender.py")
SINGLE = re.compile(r"(\w+) (=|>=) (\d+)")


def write_task(folder: Path, records: int) -> None:
    """Write the records, and the rules that a peer can express, where the contenders find them."""
    import msgspec
    import pyarrow.parquet as pq
    from made_up import fill, manifest
    from pyarrow.csv import write_csv

    from copstats.framework import load_framework
    from copstats.process.rules import compile_rules
    from copstats.store.engine import memory_connection

    framework = load_framework()
    with memory_connection() as connection:
        submission = fill(connection, framework, records)
        child = connection.table("child").to_arrow_table()
    pq.write_table(child, folder / "child.parquet")
    for kind in ("parquet", "csv"):
        delivery = folder / kind
        delivery.mkdir()
        delivered = as_delivered(child, list(submission.records["child"].variables))
        file = f"child.{kind}"
        pq.write_table(delivered, delivery / file) if kind == "parquet" else write_csv(
            delivered, delivery / file
        )
        said = manifest(framework, file)
        (delivery / "manifest.yaml").write_bytes(msgspec.yaml.encode(said))
    rules = compile_rules(framework, manifest(framework), submission, None)
    told = [known for rule in rules if rule.ready and (known := told_to_peers(framework, rule))]
    (folder / "rules.json").write_text(json.dumps(told), "utf-8")


def as_delivered(child: Any, names: list[str]) -> Any:
    """Return the variables as a file holds them: a cell that cannot be read is a number out of reach there.

    Any text can be read, so such a cell of a text is a blank one.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = {}
    for name in names:
        cells, unread = child[name], child[f"{name}__unread"]
        if pa.types.is_integer(cells.type):
            cells = pc.if_else(unread, 2**40, cells.cast(pa.int64()))
        elif pa.types.is_floating(cells.type):
            cells = pc.if_else(unread, float("inf"), cells)
        columns[name] = cells
    return pa.table(columns)


def told_to_peers(framework: Any, rule: Any) -> dict[str, Any] | None:
    """Return a rule in terms that every contender has, or None."""
    about = {"id": rule.id, "column": rule.variable}
    if rule.rule_class == "blank":
        return about | {"kind": "NotNull"}
    if rule.rule_class in ("skip_ignored", "skip_unfounded"):
        universe = framework.universes.get(("child", rule.variable))
        if universe and (single := SINGLE.fullmatch(universe.text)):
            name, sign, value = single.groups()
            return about | {"kind": rule.rule_class, "filter": name, "sign": sign, "value": int(value)}
    if rule.native is None or rule.rule_class == "unread":
        return None
    values = {name: getattr(rule.native, name) for name in rule.native.__dataclass_fields__}
    return about | {"kind": type(rule.native).__name__} | values


def measured(python: str, contender: str, folder: Path) -> dict[str, Any]:
    run = subprocess.run(
        [python, str(CONTENDER), contender, str(folder)], capture_output=True, text=True, check=False
    )
    if run.returncode:
        return {"failed": run.stderr.strip().splitlines()[-1:] or ["killed"]}
    return dict(json.loads(run.stdout.strip().splitlines()[-1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--records", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--peers", help="Python in which pandera, polars and pointblank are installed")
    parser.add_argument("--quick", action="store_true", help="leave out contenders that take minutes")
    asked = parser.parse_args()
    contenders = [(sys.executable, name) for name in OURS]
    contenders += [(asked.peers, name) for name in PEERS if asked.peers]
    heads = ("records", "rules", "CPU s", "wall s", "RSS MB", "findings", "ratio")
    print(f"{'':26}" + "".join(f"{head:>10}" for head in heads))
    for records in asked.records:
        with tempfile.TemporaryDirectory() as folder:
            write_task(Path(folder), records)
            base = 0.0
            for python, name in contenders:
                if asked.quick and name in SLOW:
                    continue
                cost = measured(python, name, Path(folder))
                if "failed" in cost:
                    print(f"{name:26}{records:>10,}  {cost['failed']}", flush=True)
                    continue
                base = base or cost["cpu"]
                print(
                    f"{name:26}{records:>10,}{cost['rules']:>10}{cost['cpu']:>10.2f}{cost['wall']:>10.2f}"
                    f"{cost['rss']:>10.0f}{cost['findings']:>10,}{cost['cpu'] / base:>10.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
