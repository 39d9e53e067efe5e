from __future__ import annotations

import shutil
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
    assert {name for name, comment in macros if comment} == dictionary().macros.keys()
    assert len(macros) == 12


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


def test_gap_within_each_newest_survey(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql(
        "SELECT ref_area, time_period, label_a, value_a, label_b, value_b, difference, reason "
        "FROM gap('RCD4')"
    ).fetchall()
    assert rows == [
        ("XAA", "2026", "Female", 29.0, "Male", 20.0, 9.0, None),
        ("XCC", "2026", "Female", 55.0, "Male", 55.0, None, "not_comparable"),
    ]
    assert database.sql("FROM gap('RCD4', dimension := 'residence')").fetchall() == []
    assert database.sql("FROM gap('ACC1')").fetchall() == []


def test_changes_since_the_round_before(database: duckdb.DuckDBPyConnection) -> None:
    query = """
        SELECT indicator, time_period_from, time_period_to, value_from, value_to, change, reason, reason_label
        FROM changes({})
    """
    rows = {row[0]: row[1:] for row in database.sql(query.format("'XAA'")).fetchall()}
    assert rows["RCD4"] == ("2023", "2026", 31.0, 24.6, -6.4, None, None)
    assert rows["ACC1"][2:5] == (None, None, None)
    assert rows["ACC1"][5:] == ("high", "All or nearly all; no figure is shown")
    (girls,) = database.sql(query.format("'XAA', sex := 'F'") + "WHERE indicator = 'RCD4'").fetchall()
    assert girls[0] == "RCD4" and girls[1:3] == ("2023", "2026")
    assert database.sql(query.format("'XBB'")).fetchall() == []


def test_means_of_regions_come_with_the_world(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql(
        "SELECT scheme, label, value, countries, reason_label FROM regional_means('RCD4') "
        "WHERE label IN ('Africa', 'World')"
    ).fetchall()
    assert [row[:3] for row in rows] == [("itu_region", "Africa", None), ("world", "World", None)]
    assert [row[3] for row in rows] == [1, 2] and all(row[4] for row in rows)
    groups = database.sql("SELECT label FROM regional_means('RCD4', scheme := 'ldc')").fetchall()
    assert groups == [("Least developed countries",), ("World",)]


def test_missing_says_who_and_why(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql("SELECT ref_area, time_period, reason, reason_label FROM missing('HLP5')").fetchall()
    why = ("2026", "not_asked", "The survey did not ask a question that it needs")
    assert rows == [("XAA", *why), ("XBB", *why), ("XCC", *why)]
    assert database.sql("FROM missing('RCD4')").fetchall() == []


def test_every_cell_can_be_named(database: duckdb.DuckDBPyConnection) -> None:
    (cells,) = database.sql("SELECT count(*) FROM indicator_value").fetchall()
    for language in ("ar", "fr", "none"):
        named = database.execute(
            "SELECT count(*), count(area), count(title), count(group_label) FROM named($1)", [language]
        )
        assert named.fetchall() == [cells * 4]
    rows = database.sql("""
        SELECT area, group_label, comparability_label, reason_label FROM named()
        WHERE indicator = 'RCD4' AND ref_area = 'XAA' AND time_period = '2026' AND standardised = 'N'
    """).fetchall()
    for_all = ("Comparable with caution", None)
    assert rows == [("Aruvia (fictional)", group, *for_all) for group in ("Female", "Male", "Total")]
    suppressed = database.sql("SELECT reason_label FROM named() WHERE reason IS NOT NULL").fetchall()
    assert suppressed and all(text for (text,) in suppressed)


def test_titles_are_in_the_language_asked_for(database: duckdb.DuckDBPyConnection) -> None:
    titles = {}
    for language in ("ar", "en", "es", "fr", "ru", "zh"):
        named = "SELECT DISTINCT title FROM named(language := $1) WHERE indicator = 'RCD4'"
        ((titles[language],),) = database.execute(named, [language]).fetchall()
    assert titles == dict(
        database.sql("SELECT language, text FROM label WHERE kind = 'indicator' AND code = 'RCD4'").fetchall()
    )
    assert len(set(titles.values())) == 6
    unknown = "SELECT DISTINCT title FROM named(language := 'none') WHERE indicator = 'RCD4'"
    assert database.sql(unknown).fetchall() == [(titles["en"],)]


def test_labels_fall_back_to_what_there_is(database: duckdb.DuckDBPyConnection) -> None:
    """The sources of this release have a French and an English title, the areas an English name alone."""
    query = "SELECT DISTINCT text FROM labels(language := $1) WHERE kind = $2"
    french = "Enquête « enfants en ligne », essai"
    assert database.execute(query, ["fr", "source"]).fetchall() == [(french,)]
    for language in ("en", "zh"):
        assert database.execute(query, [language, "source"]).fetchall() == [("Survey of children online",)]
    assert ("Aruvia (fictional)",) in database.execute(query, ["ru", "area"]).fetchall()
    twice = "SELECT kind, code FROM labels('fr') GROUP BY ALL HAVING count(*) > 1"
    assert database.sql(twice).fetchall() == []


def test_tabulated_value_is_every_cell_with_its_table(database: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(INDICATOR_VALUE.names)
    cells = database.sql("FROM indicator_value ORDER BY ALL").fetchall()
    assert database.sql(f"SELECT {columns} FROM tabulated_value ORDER BY ALL").fetchall() == cells
    found = database.sql(
        "SELECT disaggregation, count(*) FROM tabulated_value GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    in_sexes = sum(cell[4] != "_T" for cell in cells)
    assert found == [("sex", in_sexes), ("total", len(cells) - in_sexes)]


def test_latest_value_names_the_table_of_a_cell(database: duckdb.DuckDBPyConnection) -> None:
    rows = database.sql(
        "SELECT disaggregation, sex, time_period FROM latest_value "
        "WHERE ref_area = 'XAA' AND indicator = 'RCD4'"
    ).fetchall()
    assert sorted(rows) == [("sex", "F", "2026"), ("sex", "M", "2026"), ("total", "_T", "2026")]


def test_every_code_is_explained(database: duckdb.DuckDBPyConnection) -> None:
    coded = [r[0] for r in database.sql("SELECT DISTINCT codelist FROM codelist").fetchall()]
    assert {"reason", "obs_status", "obs_conf", "n_band", "sex", "age", "comparability"} <= set(coded)
    of_source = ("coverage", "mode", "sampling", "setting", "universe")
    elsewhere = {"revision_reason": "revision", "state": "release_calendar"} | dict.fromkeys(
        of_source, "source"
    )
    for column in sorted({*coded} - {"comparability_reasons"}):
        missing = database.sql(f"""
            SELECT DISTINCT {column} FROM {elsewhere.get(column, "indicator_value")}
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
