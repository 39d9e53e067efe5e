"""Number 18: what DuckDB leaves on disk, and what somebody can reach through a released database."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from copstats.store.engine import building_connection, memory_connection, published_connection
from tests.attack.scanner import STEM, Scanner

MARK = f"{STEM}spill"
ROWS = 400_000
LIMIT = "40MB"
SORT = "CREATE TABLE sorted AS SELECT * FROM answers ORDER BY answer DESC, place"


@pytest.fixture(scope="module")
def answers() -> pa.Table:
    """More than the limit holds; every record with a mark of its own."""
    numbers = pa.array(range(ROWS))
    texts = pa.array([f"{MARK}{(n * 7919) % ROWS:06d} and what else she said" for n in range(ROWS)])
    return pa.table({"place": numbers, "answer": texts})


def spilt(connection: duckdb.DuckDBPyConnection, answers: pa.Table, folder: Path) -> list[bytes]:
    """Sort the answers; return what stands in a folder while the query's memory is still in use."""
    connection.register("answers", answers)
    connection.execute(SORT)
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()]


def test_the_engine_spills_answers_in_clear_and_ours_runs_out_of_memory(
    answers: pa.Table, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with duckdb.connect(config={"temp_directory": str(tmp_path / "twin"), "memory_limit": LIMIT}) as twin:
        left = b"".join(spilt(twin, answers, tmp_path / "twin"))
    assert left.count(MARK.encode()) > 1000
    (tmp_path / "ours").mkdir()
    monkeypatch.chdir(tmp_path / "ours")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "ours"))
    with memory_connection(memory_limit=LIMIT) as connection:
        with pytest.raises(duckdb.OutOfMemoryException) as refusal:
            spilt(connection, answers, tmp_path / "ours")
        assert MARK not in str(refusal.value)
        assert list((tmp_path / "ours").rglob("*")) == []
        for option in ("temp_directory", "memory_limit", "enable_external_access"):
            with pytest.raises(duckdb.Error):
                connection.execute(f"SET {option} = '{tmp_path / 'ours'}'")
    assert list((tmp_path / "ours").rglob("*")) == []


def test_a_memory_connection_takes_away_core_dumps() -> None:
    resource = pytest.importorskip("resource")
    memory_connection().close()
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0


def test_deleted_answers_stay_in_a_database_and_were_never_in_ours(answers: pa.Table, tmp_path: Path) -> None:
    few = answers.slice(0, 5000)
    published = (
        "SELECT count(*) AS children, (place % 3)::INTEGER AS sex FROM answers GROUP BY ALL ORDER BY sex"
    )
    with duckdb.connect(str(tmp_path / "twin.duckdb")) as twin:
        twin.register("arrow", few)
        twin.execute("SET disabled_compression_methods = 'fsst,dict_fsst,dictionary,zstd'")
        twin.execute("CREATE TABLE answers AS FROM arrow")
        twin.execute("CHECKPOINT")
        twin.execute(f"CREATE TABLE indicator_value AS {published}")
        twin.execute("DELETE FROM answers")
        twin.execute("CHECKPOINT")
        twin.execute("DROP TABLE answers")
        twin.execute("CHECKPOINT")
        twin.execute("VACUUM")
        assert twin.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("indicator_value",)]
    assert (tmp_path / "twin.duckdb").read_bytes().count(MARK.encode()) > 0
    with memory_connection() as restricted:
        restricted.register("answers", few)
        values = restricted.sql(published).to_arrow_table()
    with building_connection(tmp_path / "ours.duckdb") as release:
        release.register("arrow", values)
        release.execute("CREATE TABLE indicator_value AS FROM arrow")
    assert Scanner().folder(tmp_path).keys() == {"twin.duckdb"}
    with published_connection(tmp_path / "ours.duckdb") as connection:
        assert connection.execute("SELECT sum(children) FROM indicator_value").fetchall() == [(5000,)]


@pytest.fixture
def release(tmp_path: Path) -> Path:
    database = tmp_path / "release.duckdb"
    with building_connection(database) as connection:
        connection.execute("CREATE TABLE indicator_value AS SELECT 'ACC1' AS indicator, 24.6 AS value")
    (tmp_path / "secret.csv").write_text(f"answer\n{MARK}\n", "utf-8")
    (tmp_path / "out").mkdir()
    with duckdb.connect(str(tmp_path / "other.duckdb")) as other:
        other.execute("CREATE TABLE t AS SELECT 1 AS x")
    return database


REACHES = {
    "read a CSV file": "FROM read_csv('{folder}/secret.csv')",
    "read a file by its name": "FROM '{folder}/secret.csv'",
    "read a text": "FROM read_text('{folder}/secret.csv')",
    "read bytes": "FROM read_blob('{folder}/secret.csv')",
    "list files": "FROM glob('{folder}/*')",
    "copy to a file": "COPY indicator_value TO '{folder}/out/x.csv'",
    "copy to Parquet": "COPY indicator_value TO '{folder}/out/x.parquet'",
    "export": "EXPORT DATABASE '{folder}/out/all'",
    "attach": "ATTACH '{folder}/other.duckdb' AS other (READ_ONLY)",
    "spill elsewhere": "SET temp_directory = '{folder}/out'",
    "look for extensions elsewhere": "SET extension_directory = '{folder}/out'",
    "unlock the settings": "SET lock_configuration = false",
    "reset a setting": "RESET memory_limit",
}
"""What a plain read-only connection lets anybody do."""
ALSO = {
    "import": "IMPORT DATABASE '{folder}/out'",
    "attach a new one": "ATTACH '{folder}/out/new.duckdb' AS new",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "read from the network": "FROM read_csv('https://192.0.2.1/x.csv')",
    "read from a bucket": "FROM read_parquet('s3://bucket/x.parquet')",
    "keep a secret": "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "allow access again": "SET enable_external_access = true",
    "extensions of strangers": "SET allow_unsigned_extensions = true",
}
"""What fails on a plain connection too here, for want of a network, an extension or such a folder."""
WRITES = {
    "insert": "INSERT INTO indicator_value VALUES ('x', 1)",
    "update": "UPDATE indicator_value SET value = 0",
    "delete": "DELETE FROM indicator_value",
    "create": "CREATE TABLE t (x INT)",
    "drop": "DROP TABLE indicator_value",
    "comment": "COMMENT ON TABLE indicator_value IS 'x'",
}


@pytest.mark.parametrize("statement", REACHES.values(), ids=REACHES)
def test_a_plain_connection_reaches_more_than_the_release(release: Path, statement: str) -> None:
    with duckdb.connect(str(release), read_only=True) as twin:
        twin.execute(statement.format(folder=release.parent)).fetchall()


@pytest.mark.parametrize("statement", (REACHES | ALSO).values(), ids=REACHES | ALSO)
def test_through_a_released_database_nothing_else_is_reached(release: Path, statement: str) -> None:
    with published_connection(release) as connection:
        assert connection.execute("SELECT value FROM indicator_value").fetchall() != []
        with pytest.raises(duckdb.Error) as refusal:
            connection.execute(statement.format(folder=release.parent)).fetchall()
        assert MARK not in str(refusal.value)
        assert connection.execute("SELECT value FROM indicator_value").fetchall() != []
    assert list((release.parent / "out").iterdir()) == []


@pytest.mark.parametrize("statement", WRITES.values(), ids=WRITES)
def test_a_released_database_is_not_changed(release: Path, statement: str) -> None:
    content = release.read_bytes()
    with published_connection(release) as connection, pytest.raises(duckdb.Error):
        connection.execute(statement)
    assert release.read_bytes() == content
    with duckdb.connect(str(release)) as twin:
        twin.execute(statement)
    assert release.read_bytes() != content


def test_the_weak_random_numbers_of_the_engine_are_not_in_use(root: Path) -> None:
    """DuckDB's built-in encryption can be forced on with a setting that its authors call unsafe."""
    places = [*(root / "src").rglob("*.py"), *(root / "src").rglob("*.sql"), *(root / "flows").rglob("*.py")]
    assert len(places) > 100
    assert [path.name for path in places if "force_mbedtls_unsafe" in path.read_text("utf-8")] == []
