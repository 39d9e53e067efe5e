"""The wheel carries the definitions and the flows, and works away from the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(root)]
    subprocess.run(command, check=True, capture_output=True)
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(target), str(wheel)], check=True, capture_output=True)
    return target


def run(installed: Path, cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Of the checkout nothing but what keeps the tests off the network.
    offline = Path(__file__).resolve().parents[1] / "offline"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((str(installed), str(offline)))}
    command = [sys.executable, "-m", "copstats", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_every_definition_and_flow_is_in_the_wheel(wheel: Path, root: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("schemas", "indicators", "flows"):
        for path in (root / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"copstats/project/{path.relative_to(root).as_posix()}" in names
    assert not any(name.startswith(("sample_data", "tests", "copstats/sample_data")) for name in names)


def test_the_framework_is_the_checkouts(installed: Path, tmp_path: Path) -> None:
    here = run(installed, tmp_path, "framework", "list", "--json")
    assert here.returncode == 0, here.stderr
    checkout = subprocess.run(
        [sys.executable, "-m", "copstats", "framework", "list", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(here.stdout) == json.loads(checkout.stdout)


def test_a_submission_is_checked_away_from_the_checkout(installed: Path, tmp_path: Path, root: Path) -> None:
    sample = sorted((root / "sample_data" / "submissions").glob("*/manifest.yaml"))[0].parent
    areas = root / "sample_data" / "areas.csv"
    home = tmp_path / "home"
    done = run(
        installed, tmp_path, "check", str(sample), "--areas", str(areas), "--json", "--home", str(home)
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["accepted"] is True
    assert not home.exists()


def test_demo_says_that_it_needs_the_checkout(installed: Path, tmp_path: Path) -> None:
    done = run(installed, tmp_path, "demo")
    assert done.returncode == 2
    assert "U102" in done.stderr
