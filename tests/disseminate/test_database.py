from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from copstats.disseminate.database import write_database
from copstats.disseminate.tables import dictionary
from copstats.errors import ConfidentialityError
from copstats.framework import load_framework
from copstats.store.engine import building_connection, published_connection
from copstats.store.schemas import INDICATOR_VALUE


@pytest.fixture(scope="module")
def database(release: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """As an analyst opens it: plain DuckDB, read-only."""
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        yield connection


def test_the_question_of_every_analyst(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql("""
        SELECT ref_area, value, se, ci_lower, ci_upper, comparability
        FROM indicator_value
        WHERE indicator = 'RCD4' AND time_period = '2026' AND sex = '_T' AND age = '_T' AND residence = '_T'
        ORDER BY value
    """).fetchall()
    assert rows == [
        ("XBB", 13.1, 1.2, 11.0, 15.5, "A"),
        ("XAA", 24.6, 1.2, 22.3, 27.2, "B"),
        ("XCC", 55.0, 1.2, 50.0, 60.0, "C"),
    ]


def test_columns_are_those_of_the_contract(database: duckdb.DuckDBPyConnection) -> None:
    names = [row[0] for row in database.sql("DESCRIBE indicator_value").fetchall()]
    assert names == INDICATOR_VALUE.names


def test_everything_has_a_comment(database: duckdb.DuckDBPyConnection) -> None:
    for kind in ("tables", "views"):
        named = f"{kind[:-1]}_name"
        query = (
            f"SELECT {named}, comment FROM duckdb_{kind}() WHERE NOT internal AND database_name <> 'system'"
        )
        described = database.sql(query).fetchall()
        assert len(described) == len(getattr(dictionary(), kind))
        assert all(comment for _, comment in described), described
    columns = database.sql(
        "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal"
    ).fetchall()
    assert [row[:2] for row in columns if not row[2]] == []
    assert len(columns) > 100
    macros = database.sql(
        "SELECT function_name, comment FROM duckdb_functions() "
        "WHERE function_type = 'table_macro' AND NOT internal"
    ).fetchall()
    assert {name for name, comment in macros if comment} == {
        "country_profile",
        "compare",
        "trend",
        "difference",
    }


def test_compare_takes_classes_a_and_b(database: duckdb.DuckDBPyConnection) -> None:
    query = "SELECT ref_area, area, value, comparability FROM compare({})"
    assert database.sql(query.format("'RCD4'")).fetchall() == [
        ("XAA", "Aruvia (fictional)", 24.6, "B"),
        ("XBB", "=Belmora, with a long name (fictional)", 13.1, "A"),
    ]
    assert database.sql(query.format("'RCD4', sex := 'F'")).fetchall()[0][2] > 13
    assert database.sql(query.format("'RCD4', residence := 'U'")).fetchall() == []
    assert database.sql(query.format("'NONE'")).fetchall() == []


def test_profile_of_a_country_shows_reasons_too(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql(
        "SELECT indicator, time_period, value, reason, reason_label FROM country_profile('XAA')"
    ).fetchall()
    found = {row[0]: row[1:] for row in rows}
    assert found["RCD4"] == ("2026", 24.6, None, None)
    assert found["ACC1"] == ("2026", None, "high", "All or nearly all; no figure is shown")
    assert found["RCT3"][2] == "n" and found["HLP5"][2] == "not_asked"
    assert len(rows) == len(found) == 5
    assert database.sql("FROM country_profile('XZZ')").fetchall() == []


def test_trend_is_in_the_order_of_years(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql("SELECT time_period, value, comparability FROM trend('RCD4', 'XAA')").fetchall()
    assert rows == [("2023", 31.0, "B"), ("2026", 24.6, "B")]


def test_difference_by_hand(database: duckdb.DuckDBPyConnection) -> None:
    """24.6 - 13.1 = 11.5; SE = sqrt(1.2^2 + 1.2^2) = 1.697; 11.5 -+ 1.96 x 1.697 = 8.17, 14.83."""
    (row,) = database.sql(
        "SELECT value_a, value_b, difference, se, ci_lower, ci_upper, comparability "
        "FROM difference('RCD4', 'XAA', 'XBB')"
    ).fetchall()
    assert row == (24.6, 13.1, 11.5, 1.7, 8.2, 14.8, "B")
    (swapped,) = database.sql("SELECT difference FROM difference('RCD4', 'XBB', 'XAA')").fetchall()
    assert swapped == (-11.5,)
    for pair in ("'XAA', 'XAA'", "'XAA', 'XCC'", "'XAA', 'XZZ'"):
        assert database.sql(f"FROM difference('RCD4', {pair})").fetchall() == []


def test_latest_value_names_the_table_of_a_cell(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql(
        "SELECT disaggregation, sex, time_period FROM latest_value "
        "WHERE ref_area = 'XAA' AND indicator = 'RCD4'"
    ).fetchall()
    assert sorted(rows) == [("sex", "F", "2026"), ("sex", "M", "2026"), ("total", "_T", "2026")]


def test_every_code_is_explained(database: duckdb.DuckDBPyConnection) -> None:
    coded = [r[0] for r in database.sql("SELECT DISTINCT codelist FROM codelist").fetchall()]
    assert {"reason", "obs_status", "obs_conf", "n_band", "sex", "age", "comparability"} <= set(coded)
    for column in coded:
        missing = database.sql(f"""
            SELECT DISTINCT {column} FROM indicator_value
            WHERE {column} IS NOT NULL
              AND {column} NOT IN (SELECT code FROM codelist WHERE codelist = '{column}')
        """).fetchall()
        assert missing == [], column
    reasons = database.sql("""
        SELECT DISTINCT unnest(string_split(comparability_reasons, ';')) AS code FROM indicator_value
        WHERE comparability_reasons <> ''
        EXCEPT SELECT code FROM comparability
    """).fetchall()
    assert reasons == []


def test_published_categories_are_those_of_the_framework(database: duckdb.DuckDBPyConnection) -> None:
    framework = load_framework()
    for name, dimension in framework.head.dimensions.items():
        variable = framework.variables("child").get(dimension.variable or "")
        if variable is None or dimension.by_band or variable.codelist is None:
            continue
        wanted = {code.sdmx for code in framework.codes(variable).values() if code.sdmx} | {"_T"}
        known = database.execute(
            "SELECT code FROM codelist WHERE codelist = $name", {"name": name}
        ).fetchall()
        assert {row[0] for row in known} == wanted


def test_the_published_connection_cannot_be_turned(release: Path, tmp_path: Path) -> None:
    copy = shutil.copy(release / "copstats.duckdb", tmp_path)
    with published_connection(Path(copy)) as connection:
        for attempt in (
            "INSERT INTO area VALUES ('XX', 'x')",
            "SELECT * FROM read_text('/etc/hostname')",
            "ATTACH '/etc/hostname' AS other",
            "COPY area TO 'area.csv'",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(attempt)


def test_the_building_connection_reaches_its_database_only(tmp_path: Path) -> None:
    place = tmp_path / "it's.duckdb"
    with building_connection(place) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS a")
        for attempt in (
            f"COPY t TO '{tmp_path / 'other.csv'}'",
            "SELECT * FROM read_text('/etc/hostname')",
            f"ATTACH '{tmp_path / 'other.duckdb'}'",
            "SET threads = 4",
        ):
            with pytest.raises(duckdb.Error):
                connection.execute(attempt)
    assert [path.name for path in tmp_path.iterdir()] == ["it's.duckdb"]
    with duckdb.connect(str(place), read_only=True) as reader:
        assert reader.sql("FROM t").fetchall() == [(1,)]


class Drifting(dict[str, pa.Table]):
    """Tables of which one grows whenever it is read."""

    def __getitem__(self, name: str) -> pa.Table:
        table = super().__getitem__(name)
        if name == "area":
            self[name] = pa.concat_tables([table, table])
        return table


def test_an_unreproducible_database_is_not_kept(release: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        tables = Drifting(
            {name: connection.sql(f"FROM {name}").to_arrow_table() for name in dictionary().tables}
        )
    with pytest.raises(ConfidentialityError, match="C102"):
        write_database(tmp_path / "x.duckdb", tables, ["Y9T11"], label="x", framework="x")
    assert list(tmp_path.iterdir()) == []


READ = """
import sys, duckdb
c = duckdb.connect(sys.argv[1], read_only=True)
print(duckdb.__version__)
assert c.sql("SELECT value FROM compare('RCD4')").fetchall() == [(24.6,), (13.1,)]
assert len(c.sql("FROM country_profile('XAA')").fetchall()) == 5
assert c.sql("SELECT difference FROM difference('RCD4', 'XAA', 'XBB')").fetchall() == [(11.5,)]
assert len(c.sql("FROM trend('RCD4', 'XAA')").fetchall()) == 2
for (name,) in c.sql("SELECT table_name FROM duckdb_tables()").fetchall():
    c.sql(f"FROM {name}").fetchall()
assert c.sql("FROM README").fetchall() and c.sql("FROM latest_value").fetchall()
bare = c.sql("SELECT column_name FROM duckdb_columns() WHERE NOT internal AND comment IS NULL")
assert bare.fetchall() == []
"""


@pytest.mark.nightly
@pytest.mark.parametrize("version", ["1.4", "1.5"])
def test_older_duckdb_reads_it(release: Path, tmp_path: Path, version: str) -> None:
    """Installs the older release of DuckDB from the package registry into an environment of its own."""
    venv.create(tmp_path / "older", with_pip=True)
    python = tmp_path / "older" / ("Scripts" if os.name == "nt" else "bin") / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", f"duckdb=={version}.*"]
    # The one place that needs the network: without what keeps the tests off it.
    online = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run(install, check=True, stdout=sys.stderr, env=online)
    done = subprocess.run(
        [str(python), "-c", READ, str(release / "copstats.duckdb")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(version)
