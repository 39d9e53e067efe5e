from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from copstats.cli.application import COMMANDS
from copstats.cli.errors_page import errors_page
from copstats.errors import error_catalogue

USED = re.compile(
    r"(?:Error|Errors|Rejected|Retriable|FlowStopped|problem|_fail|Refused)\(\s*\"([A-Z]\d{3})\""
)


def test_the_errors_page_is_the_catalogue(root: Path) -> None:
    assert (root / "docs" / "errors.md").read_text("utf-8") == errors_page()


def test_every_error_that_the_code_raises_is_explained(root: Path) -> None:
    used = {code for path in (root / "src").rglob("*.py") for code in USED.findall(path.read_text("utf-8"))}
    assert len(used) > 50
    assert used <= error_catalogue().keys()
    for code, entry in error_catalogue().items():
        assert entry.keys() == {"title", "why", "hint"}, code


def test_every_link_between_pages_leads_somewhere(root: Path) -> None:
    pages = [root / "README.md", root / "CONTRIBUTING.md", *(root / "docs").rglob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_command_is_documented(root: Path) -> None:
    text = "\n".join(p.read_text("utf-8") for p in [root / "README.md", *(root / "docs").glob("*.md")])
    assert [name for name in COMMANDS if f"copstats {name}" not in text] == []


@pytest.mark.reference
def test_the_operators_page_runs(root: Path, shared: Path, tmp_path: Path) -> None:
    page = (root / "docs" / "operators.md").read_text("utf-8")
    commands = [
        line[2:] for block in re.findall(r"```console\n(.*?)```", page, re.S) for line in block.splitlines()
    ]
    assert len(commands) == 10
    for command in commands:
        words = shlex.split(command.replace("../shared", str(shared)))[1:]
        done = subprocess.run(
            [sys.executable, "-m", "copstats", *words],
            cwd=root,
            env=os.environ | {"COPSTATS_HOME": str(tmp_path / "home")},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
