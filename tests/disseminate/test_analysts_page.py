"""Every example of docs/analysts.md is run on a release."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "analysts.md").read_text("utf-8")


def examples(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_there_are_examples() -> None:
    assert len(examples("sql")) >= 10 and len(examples("python")) >= 3


@pytest.mark.parametrize("query", examples("sql"), ids=lambda query: query.split("\n")[0][:40])
def test_sql_examples_answer(release: Path, query: str) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        assert connection.execute(query).fetchall()


@pytest.mark.parametrize("code", examples("python"), ids=range(len(examples("python"))))
def test_python_examples_run(release: Path, tmp_path: Path, code: str) -> None:
    folder = shutil.copytree(release, tmp_path / "release")
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_macro_and_view_is_shown(release: Path) -> None:
    with duckdb.connect(str(release / "copstats.duckdb"), read_only=True) as connection:
        functions = "SELECT function_name FROM duckdb_functions() WHERE NOT internal"
        macros = f"{functions} AND function_type = 'table_macro'"
        views = "SELECT view_name FROM duckdb_views() WHERE NOT internal"
        names = [name for query in (macros, views) for (name,) in connection.sql(query).fetchall()]
    assert len(names) == 6 and all(name in PAGE for name in names)
