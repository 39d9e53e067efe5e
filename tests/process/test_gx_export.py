"""The exported suites run in Great Expectations without a line of copstats, and find the planted faults."""

from __future__ import annotations

import json
import sqlite3
import warnings
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
import pytest

from copstats.framework import load_framework
from copstats.process.gx_export import write_gx

FAULTY = "XFF_2025_COPS_v01"
MENDED = "XFF_2025_COPS_v02"


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    paths = write_gx(load_framework(), tmp_path_factory.mktemp("gx"))
    return {path.name: json.loads(path.read_text("utf-8")) for path in paths}


def children(root: Path, submission: str) -> pd.DataFrame:
    """Read a sample as a user of pandas would."""
    return pd.read_csv(root / "sample_data" / "submissions" / submission / "child.csv", keep_default_na=True)


def present(suite: dict[str, Any], frame: pd.DataFrame) -> gx.ExpectationSuite:
    """Return the suite without the rules on variables that the survey did not ask."""
    kept = []
    for one in suite["expectations"]:
        text = json.dumps(one["kwargs"])
        column = one["kwargs"].get("column")
        absent = [name for name in load_framework().variables("child") if name not in frame.columns]
        if column in frame.columns or (column is None and not any(name in text for name in absent)):
            kept.append(one)
    return gx.ExpectationSuite(name=suite["name"], expectations=kept)


def failed(result: Any) -> set[str]:
    assert not [r for r in result.results if "'raised_exception': True" in str(r.exception_info)]
    return {r.expectation_config.meta["rule"] for r in result.results if not r.success}


@pytest.fixture(scope="module")
def context() -> Any:
    return gx.get_context(mode="ephemeral")


def on_pandas(context: Any, suite: gx.ExpectationSuite, frame: pd.DataFrame, name: str) -> set[str]:
    asset = context.data_sources.add_pandas(f"pandas {name}").add_dataframe_asset("child")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch(batch_parameters={"dataframe": frame})
    return failed(batch.validate(suite, result_format="BOOLEAN_ONLY"))


def on_sqlite(context: Any, suite: gx.ExpectationSuite, frame: pd.DataFrame, folder: Path) -> set[str]:
    path = folder / "child.sqlite"
    with sqlite3.connect(path) as connection:
        frame.to_sql("child", connection, index=False)
    source = context.data_sources.add_sqlite(f"sqlite {folder.name}", connection_string=f"sqlite:///{path}")
    batch = (
        source.add_table_asset("child", table_name="child")
        .add_batch_definition_whole_table("all")
        .get_batch()
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return failed(batch.validate(suite, result_format="BOOLEAN_ONLY"))


def test_columns_on_pandas(context: Any, suites: dict[str, dict[str, Any]], root: Path) -> None:
    suite = suites["child.columns.json"]
    mended = children(root, MENDED)
    assert on_pandas(context, present(suite, mended), mended, "mended") == set()
    faulty = children(root, FAULTY)
    found = on_pandas(context, present(suite, faulty), faulty, "faulty")
    assert {"code_list:sex", "code_list:act_social", "range:wel_life", "key_unique:child_id"} <= found


def test_queries_on_a_sql_engine(
    context: Any, suites: dict[str, dict[str, Any]], root: Path, tmp_path: Path
) -> None:
    suite = suites["child.queries.json"]
    for name in ("mended", "faulty"):
        (tmp_path / name).mkdir()
    mended = children(root, MENDED)
    assert on_sqlite(context, present(suite, mended), mended, tmp_path / "mended") == set()
    faulty = children(root, FAULTY)
    found = on_sqlite(context, present(suite, faulty), faulty, tmp_path / "faulty")
    assert {
        "age_first_use",
        "blank:own_phone",
        "skip_ignored:act_game",
        "skip_ignored:rct_gift",
        "skip_ignored:hlp_parent",
        "skip_unfounded:rcn_hate",
    } <= found


def test_descriptions_come_in_the_language_asked_for(tmp_path: Path) -> None:
    (path, *_) = write_gx(load_framework(), tmp_path, language="fr", modules=["access"])
    suite = json.loads(path.read_text("utf-8"))
    columns = {one["kwargs"]["column"] for one in suite["expectations"]}
    assert "net_3m" in columns
    assert "rct_gift" not in columns
