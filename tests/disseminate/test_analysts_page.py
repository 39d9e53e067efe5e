"""Every example of docs/analysts.md is run on a release: with this DuckDB and older ones, in Python, in R."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from copstats.collect.official import open_official
from copstats.disclose import load_profile, protect
from copstats.disclose.counts import protect_counts
from copstats.disseminate.official import OfficialTables, official_tables
from copstats.framework import load_framework
from copstats.framework.counts import load_counts
from copstats.store.counts import POLICY_ANSWERS
from tests.disclose.estimates import cell, table
from tests.disseminate.conftest import AREAS, DENOMINATORS, build, rows
from tests.disseminate.differences import group, group_errors
from tests.disseminate.opened_by import answers

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "analysts.md").read_text("utf-8")
FIFTHS = ("Poorest", "Second", "Middle", "Fourth", "Richest")
README_QUERIES = "SELECT unnest(regexp_extract_all(text, 'FROM [^;]+;')) FROM README"


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


IN_ONE_LINE = re.findall(r"^\|[^|]+\| `(FROM .*)` \|$", PAGE, re.MULTILINE)
QUERIES = IN_ONE_LINE + examples("sql")


@pytest.fixture(scope="module")
def analysed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release with an answer to each question: fifths of wealth, counts of a helpline, a revision."""
    fifths = [
        cell(
            disaggregation="wealth_quintile",
            wealth_quintile=f"Q{fifth}",
            n=300,
            events=75,
            weight=2.4e5,
            estimate=share,
            ci_lower=share - 0.06,
            ci_upper=share + 0.06,
        )
        for fifth, share in enumerate((0.32, 0.28, 0.24, 0.21, 0.18245), 1)
    ]
    surveys = [*rows("XAA"), *fifths, *rows("XAA", 2023, estimate=0.31, ci_lower=0.28, ci_upper=0.34)]
    others, revised = (
        rows(
            "XBB", comparability="A", comparability_reasons="", estimate=share, ci_lower=0.11, ci_upper=0.155
        )
        for share in (0.129, 0.131)
    )
    groups = group_errors(group(), group(dimension="wealth_quintile", group_a="Q1", group_b="Q5"))
    place = tmp_path_factory.mktemp("analysed")
    before = build(place / "2026-Q3", protected(*surveys, *others), label="2026-Q3")
    return build(
        place / "2026-Q4",
        protected(*surveys, *revised),
        group_errors=groups,
        official=helpline(),
        previous=before,
    )


def protected(*cells: dict[str, Any]) -> pa.Table:
    consent = {str(row["submission_id"]): "disaggregated" for row in cells}
    return protect(table(*cells), load_profile(), consent_level=consent, framework=load_framework()).values


def helpline() -> OfficialTables:
    taken = open_official(ROOT / "sample_data" / "official" / "XAA_2025_HELPLINE_v01", areas=AREAS)
    framework, profile = load_framework(), load_profile()
    return official_tables(
        protect_counts(taken.table, profile, whole_of=load_counts(framework.id).whole_of),
        POLICY_ANSWERS.empty_table(),
        [(taken.manifest, taken.content_hash)],
        framework=framework,
        profile=profile,
        denominators=DENOMINATORS,
    )


@pytest.fixture(scope="module")
def database(analysed: Path) -> str:
    return str(analysed / "copstats.duckdb")


def test_there_are_examples() -> None:
    assert len(examples("sql")) >= 15 and len(IN_ONE_LINE) >= 10
    assert len(examples("python")) >= 3 and len(examples("r")) >= 2


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.split("\n")[0][:40])
def test_sql_examples_answer(database: str, query: str) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        assert connection.execute(query).fetchall()


def test_the_readme_names_every_macro_and_its_examples_answer(database: str) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        queries = [query for (query,) in connection.execute(README_QUERIES).fetchall()]
        macros = connection.execute(
            "SELECT function_name FROM duckdb_functions() "
            "WHERE function_type = 'table_macro' AND NOT internal"
        ).fetchall()
        unanswered = [query for query in queries if not connection.execute(query).fetchall()]
    assert {name for (name,) in macros} == {re.split(r"[ (]", query)[1] for query in queries}
    assert unanswered == []


@pytest.mark.parametrize("code", examples("python"), ids=range(len(examples("python"))))
def test_python_examples_run(analysed: Path, tmp_path: Path, code: str) -> None:
    folder = shutil.copytree(analysed, tmp_path / "release")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not on this machine")
@pytest.mark.parametrize("code", examples("r"), ids=range(len(examples("r"))))
def test_r_examples_run(analysed: Path, tmp_path: Path, code: str) -> None:
    def run(text: str) -> subprocess.CompletedProcess[str]:
        script = tmp_path / "example.R"
        script.write_text(text, "utf-8")
        command = ["Rscript", "--vanilla", str(script)]
        return subprocess.run(command, cwd=analysed, capture_output=True, text=True, check=False)

    for package in re.findall(r"^library\((\w+)\)", code, re.MULTILINE):
        if run(f"library({package})").returncode != 0:
            pytest.skip(f"R has no package {package}: install.packages('{package}')")
    done = run(code)
    assert done.returncode == 0, done.stderr


def test_every_macro_and_view_is_shown(database: str) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        functions = "SELECT function_name FROM duckdb_functions() WHERE NOT internal"
        macros = f"{functions} AND function_type = 'table_macro'"
        views = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
        names = [name for query in (macros, views) for (name,) in connection.sql(query).fetchall()]
    assert len(names) == 15 and all(name in PAGE for name in names)


def test_revisions_since_a_release(database: str) -> None:
    query = "SELECT ref_area, value_from, value_to, revision_reason, reason_label FROM revisions_since($1)"
    with duckdb.connect(database, read_only=True) as connection:
        (national,) = connection.execute(
            f"{query} WHERE indicator = 'RCD4' AND sex = '_T'", ["2026-Q3"]
        ).fetchall()
        assert national[:3] == ("XBB", 12.9, 13.1)
        assert national[3] == "recomputed" and national[4].startswith("The records of the same version")
        assert connection.execute(query, ["2026-Q4"]).fetchall() == []
        assert (
            connection.execute(query, ["2020-Q1"]).fetchall()
            == connection.execute(query, ["2026-Q3"]).fetchall()
        )


def test_a_group_is_named_by_what_is_not_total(database: str) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        named = connection.execute(
            "SELECT group_label FROM named() "
            "WHERE indicator = 'RCD4' AND disaggregation = 'wealth_quintile' ORDER BY wealth_quintile"
        ).fetchall()
    assert [label for (label,) in named] == [f"{which} fifth" for which in FIFTHS]


def test_services_are_counted_at_the_total_alone(database: str) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        shown = connection.execute("SELECT measure, time_period FROM administrative('XAA')").fetchall()
        ((all_rows,),) = connection.execute("SELECT count(*) FROM administrative_value").fetchall()
    assert 0 < len(shown) == len(set(shown)) < all_rows


def older_duckdb(version: str, place: Path) -> Path:
    """Install a release of DuckDB into a folder that later runs find again."""
    folder = place / f"duckdb-{version}"
    if folder.exists():
        return folder
    half = place / f"half-{version}"
    shutil.rmtree(half, ignore_errors=True)
    options = ["--quiet", "--no-deps", "--retries", "1", "--timeout", "20", "--target", str(half)]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, f"duckdb=={version}"],
        # The one place that needs the network: without what keeps the tests off it.
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        reason = f"DuckDB {version} cannot be had from the package registry: {done.stderr.strip()[-300:]}"
        (pytest.fail if os.environ.get("COPSTATS_COMPLETE") == "true" else pytest.skip)(reason)
    return half.rename(folder)


@pytest.mark.parametrize("version", ["1.4.5", "1.5.6"])
def test_older_duckdb_gives_the_same_answers(
    database: str, version: str, pytestconfig: pytest.Config
) -> None:
    """The page's queries, the README's, and every table and view whole."""
    cache = pytestconfig.cache
    assert cache is not None
    folder = older_duckdb(version, cache.mkdir("older-duckdb"))
    with duckdb.connect(database, read_only=True) as connection:
        relations = [name for (name,) in connection.execute("SHOW TABLES").fetchall()]
        in_readme = [query for (query,) in connection.execute(README_QUERIES).fetchall()]
    queries = [*QUERIES, *in_readme, *(f'FROM "{name}"' for name in relations)]
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("opened_by.py")), database],
        input=json.dumps(queries),
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(folder), os.environ.get("PYTHONPATH", "")))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["version"] == version
    for query, theirs, ours in zip(queries, said["answers"], answers(database, queries), strict=True):
        assert theirs == ours, query
    assert sum(len(answer["rows"]) for answer in said["answers"]) > 500
