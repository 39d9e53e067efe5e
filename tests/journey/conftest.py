from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from copstats.store.lock import FileLock


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
def demo(demo_home: Path, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The demo, run once for all worker processes; each has a copy of its home."""
    base = tmp_path_factory.getbasetemp()
    common = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    said = common / "demo-said.json"
    with FileLock(common / "demo.lock", wait=900):
        if not said.exists():
            run = copstats("demo", "--home", common / "demo-home", cwd=root)
            said.write_text(json.dumps([run.status, run.out, run.err]), "utf-8")
        shutil.copytree(common / "demo-home", demo_home)
    return Run(*json.loads(said.read_text("utf-8")))
