from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Run:
    """A command as its user ran it."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, object]:
        return json.loads(self.out)


def copstats(*arguments: str | Path, cwd: Path, **environment: str) -> Run:
    done = subprocess.run(
        [sys.executable, "-m", "copstats", *map(str, arguments)],
        cwd=cwd,
        env=os.environ | {"COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return Run(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "home"


@pytest.fixture(scope="session")
def demo(demo_home: Path, root: Path) -> Run:
    """The demo, run once for the whole session."""
    return copstats("demo", "--home", demo_home, cwd=root)
