"""Runs one contender of `benchmarks/check.py` and prints what it cost, as JSON."""

from __future__ import annotations

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

Run = Callable[[], tuple[int, int]]
"""Does the work; returns the numbers of rules and of findings."""


def copstats(folder: Path, *, gate: bool = True, at_most: int | None = None) -> Run:
    from made_up import Held, Submission, chosen, manifest

    from copstats.framework import load_framework
    from copstats.process.check import check
    from copstats.process.gate import prepare
    from copstats.store.engine import memory_connection

    framework = load_framework()
    connection = memory_connection()
    connection.register("source", pq.read_table(folder / "child.parquet"))
    connection.execute("CREATE TABLE child AS FROM source")
    connection.unregister("source")
    names = tuple(chosen(framework))
    (rows,) = connection.execute("SELECT count(*) FROM child").fetchall()[0]
    held = Submission({"child": Held(rows, names, {name: name.upper() for name in names})})
    if gate:
        prepare()

    def run() -> tuple[int, int]:
        result = check(
            connection, held, "BENCH", framework, manifest(framework), None, gate=gate, at_most=at_most
        )
        assert not result.disagreements
        judged = sum(outcome.state in ("passed", "failed") for outcome in result.outcomes)
        return judged, result.findings.num_rows

    return run


def end_to_end(folder: Path) -> Run:
    """Read, harmonise and check; the process that reads counts too."""
    from copstats.collect.harmonise import harmonise
    from copstats.collect.submission import open_submission
    from copstats.framework import load_areas, load_framework
    from copstats.process.check import check
    from copstats.process.gate import prepare
    from copstats.project import project_root
    from copstats.store.engine import memory_connection

    areas = load_areas(project_root() / "schemas" / "areas.csv", project_root() / "sample_data" / "areas.csv")
    framework = load_framework()
    prepare()

    def run() -> tuple[int, int]:
        submission = open_submission(folder, areas=areas)
        with memory_connection() as connection:
            held = harmonise(submission, framework, connection)
            result = check(
                connection, held, submission.id, framework, submission.manifest, submission.crosswalk
            )
        judged = sum(outcome.state in ("passed", "failed") for outcome in result.outcomes)
        return judged, result.findings.num_rows

    return run


def great_expectations(folder: Path, result_format: str) -> Run:
    import great_expectations as gx
    import great_expectations.expectations as gxe
    from great_expectations.data_context.types.base import ProgressBarsConfig

    rules = json.loads((folder / "rules.json").read_text("utf-8"))
    frame = pq.read_table(folder / "child.parquet").to_pandas()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False, metric_calculations=False)
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("a")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": frame})

    how: dict[str, Any] = {"result_format": result_format}
    if result_format == "COMPLETE":
        how["unexpected_index_column_names"] = ["record_no"]

    def run() -> tuple[int, int]:
        suite = gx.ExpectationSuite(name="s", expectations=[expectation(gxe, rule) for rule in rules])
        results = batch.validate(suite, result_format=how).results
        found = sum(len(result.result.get("unexpected_index_list") or ()) for result in results)
        return len(results), found

    return run


def asked_when(rule: dict[str, Any]) -> Any:
    """Return the condition under which Great Expectations applies a skip rule."""
    from great_expectations.expectations.row_conditions import Column

    asked = Column(rule["filter"])
    if rule["kind"] == "skip_unfounded":
        return asked == rule["value"] if rule["sign"] == "=" else asked >= rule["value"]
    unlike = asked != rule["value"] if rule["sign"] == "=" else asked < rule["value"]
    return (asked >= 0) & unlike


def expectation(gxe: Any, rule: dict[str, Any]) -> Any:
    kind, column = rule["kind"], rule["column"]
    if kind == "skip_ignored":
        when = asked_when(rule)
        return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[-7, -1], row_condition=when)
    if kind == "skip_unfounded":
        when = asked_when(rule)
        return gxe.ExpectColumnValuesToNotBeInSet(column=column, value_set=[-7], row_condition=when)
    how = {"values": "value_set", "lower": "min_value", "upper": "max_value", "strict": "strict_min"}
    known = {
        how.get(name, "regex"): value for name, value in rule.items() if name not in ("id", "kind", "column")
    }
    makes = {
        "NotNull": gxe.ExpectColumnValuesToNotBeNull,
        "InSet": gxe.ExpectColumnValuesToBeInSet,
        "Between": gxe.ExpectColumnValuesToBeBetween,
        "Matches": gxe.ExpectColumnValuesToMatchRegex,
        "Unique": gxe.ExpectColumnValuesToBeUnique,
    }
    return makes[kind](column=column, **known)


def broken(rule: dict[str, Any], table: Any, at: Any) -> Any:
    """Return the mask of a skip rule; ``at`` returns a column, in pandas or polars."""
    asked, answer = at(table, rule["filter"]), at(table, rule["column"])
    met = asked == rule["value"] if rule["sign"] == "=" else asked >= rule["value"]
    if rule["kind"] == "skip_unfounded":
        return met & (answer == -7)
    unlike = asked != rule["value"] if rule["sign"] == "=" else asked < rule["value"]
    return (asked >= 0) & unlike & (answer != -7) & (answer != -1)


def pandera_columns(pa: Any, rules: list[dict[str, Any]]) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for rule in rules:
        own = columns.setdefault(rule["column"], {"checks": [], "nullable": True, "unique": False})
        match rule["kind"]:
            case "NotNull":
                own["nullable"] = False
            case "InSet":
                own["checks"].append(pa.Check.isin(rule["values"]))
            case "Between":
                own["checks"].append(
                    pa.Check.in_range(rule["lower"], rule["upper"], include_min=not rule["strict"])
                )
            case "Matches":
                own["checks"].append(pa.Check.str_matches(rule["pattern"].replace(r"\Z", "$")))
            case "Unique":
                own["unique"] = True
    return columns


def pandera(folder: Path, backend: str) -> Run:
    if backend == "polars":
        import pandera.polars as pa
        import polars as pl

        frame = pl.read_parquet(folder / "child.parquet")
    else:
        import pandera.pandas as pa

        frame = pq.read_table(folder / "child.parquet").to_pandas()
    from pandera.errors import SchemaErrors

    rules = json.loads((folder / "rules.json").read_text("utf-8"))
    columns = pandera_columns(pa, rules)
    skips = [rule for rule in rules if rule["kind"].startswith("skip")]
    if backend == "polars":
        checks = [
            pa.Check(
                lambda data, rule=rule: data.lazyframe.select(~broken(rule, None, lambda _, c: pl.col(c)))
            )
            for rule in skips
        ]
    else:
        checks = [
            pa.Check(lambda data, rule=rule: ~broken(rule, data, lambda table, c: table[c])) for rule in skips
        ]

    def run() -> tuple[int, int]:
        schema = pa.DataFrameSchema({n: pa.Column(**how) for n, how in columns.items()}, checks=checks)
        try:
            schema.validate(frame, lazy=True)
        except SchemaErrors as errors:
            return len(rules), len(errors.failure_cases)
        return len(rules), 0

    return run


def pointblank(folder: Path) -> Run:
    import pointblank as pb
    import polars as pl

    rules = json.loads((folder / "rules.json").read_text("utf-8"))
    frame = pl.read_parquet(folder / "child.parquet")

    def add(plan: Any, rule: dict[str, Any]) -> Any:
        column = rule["column"]
        match rule["kind"]:
            case "NotNull":
                return plan.col_vals_not_null(columns=column)
            case "InSet":
                return plan.col_vals_in_set(columns=column, set=rule["values"])
            case "Between":
                ends = (not rule["strict"], True)
                return plan.col_vals_between(
                    columns=column, left=rule["lower"], right=rule["upper"], inclusive=ends, na_pass=True
                )
            case "Matches":
                pattern = rule["pattern"].replace(r"\Z", "$")
                return plan.col_vals_regex(columns=column, pattern=pattern, na_pass=True)
            case "Unique":
                return plan.rows_distinct(columns_subset=column)
        return plan.col_vals_expr(expr=~broken(rule, None, lambda _, c: pl.col(c)))

    def run() -> tuple[int, int]:
        plan = pb.Validate(data=frame)
        for rule in rules:
            plan = add(plan, rule)
        plan = plan.interrogate()
        return len(rules), sum(plan.n_failed().values())

    return run


CONTENDERS: dict[str, Callable[[Path], Run]] = {
    "copstats": copstats,
    "copstats, 10,000 a rule": lambda folder: copstats(folder, at_most=10_000),
    "copstats, no gate": lambda folder: copstats(folder, gate=False),
    "copstats from Parquet": lambda folder: end_to_end(folder / "parquet"),
    "copstats from CSV": lambda folder: end_to_end(folder / "csv"),
    "GX BOOLEAN_ONLY": lambda folder: great_expectations(folder, "BOOLEAN_ONLY"),
    "GX COMPLETE": lambda folder: great_expectations(folder, "COMPLETE"),
    "pandera polars": lambda folder: pandera(folder, "polars"),
    "pandera pandas": lambda folder: pandera(folder, "pandas"),
    "pointblank": pointblank,
}


def cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it started."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def peak_megabytes() -> float:
    """Return the peak of resident memory; ``ru_maxrss`` would count the process that started this one."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def main() -> None:
    warnings.simplefilter("ignore")
    run = CONTENDERS[sys.argv[1]](Path(sys.argv[2]))
    cpu, wall = cpu_seconds(), time.perf_counter()
    rules, findings = run()
    cost = {
        "cpu": cpu_seconds() - cpu,
        "wall": time.perf_counter() - wall,
        "rss": peak_megabytes(),
        "rules": rules,
        "findings": findings,
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
