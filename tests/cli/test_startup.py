from __future__ import annotations

import json
import subprocess
import sys

import pytest

from copstats.cli.application import COMMANDS

HEAVY = {
    "pandas",
    "duckdb",
    "pyarrow",
    "great_expectations",
    "prefect",
    "sqlalchemy",
    "sqlglot",
    "scipy",
    "rich",
}


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys, json; print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


def test_help_imports_nothing_heavy() -> None:
    loaded = loaded_by("from copstats.cli import application; application(['--help'])")
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_without_heavy_imports(command: str) -> None:
    loaded = loaded_by(
        f"from copstats.cli import application; assert application(['{command}', '--help']) == 0"
    )
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    "arguments",
    [["--json", "framework", "list"], ["framework", "--json", "list"], ["framework", "list", "--json"]],
)
def test_common_options_stand_before_and_after_the_subcommand(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "copstats", *arguments], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["framework"] == "cop-2026"


def test_an_unknown_command_is_a_usage_error() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "copstats", "publsh"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
