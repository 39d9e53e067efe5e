"""The pages on sealing and data protection: their examples run, and what they name is there."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from copstats.cli.application import COMMANDS
from copstats.framework import load_framework
from copstats.process.file_risk import LARGEST_RISK, LEAST_GROUP
from copstats.store.config import HomeConfig

ROOT = Path(__file__).parents[2]
PAGES = {
    name: (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    for name in ("sealing", "data-protection", "data-protection-impact-assessment")
}
SAMPLE = ROOT / "sample_data" / "submissions" / "XAA_2025_COPS_v01"
RUN = """
import contextlib, io, json, os, shlex, sys
from copstats.cli.application import application
for line in sys.stdin:
    place, command = json.loads(line)
    os.environ["COPSTATS_HOME"] = place
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = application(shlex.split(command)[1:])
    print(json.dumps([command, status, said.getvalue()]))
"""


def examples(page: str) -> list[tuple[str, str]]:
    """Return place and command of every line of a page's examples."""
    blocks = re.findall(r"(?:<!-- at: (\w+) -->\n)?```console\n(.*?)```", page, re.DOTALL)
    return [(place or "receiving", line[2:]) for place, block in blocks for line in block.splitlines()]


def survey(folder: Path, every: int = 1) -> None:
    """Write one child in ``every`` of the sample, without parents, as a survey of the examples' country."""
    folder.mkdir()
    for name in ("manifest.yaml", "child.csv"):
        text = (SAMPLE / name).read_text("utf-8")
        for old, new in (("XAA", "KEN"), ("XA-", "KE-"), ("2025", "2026")):
            text = text.replace(old, new)
        if name == "child.csv":
            header, *records = text.splitlines()
            text = "\n".join([header, *records[::every], ""])
        else:
            text = re.sub(r",\s*parent_\w+|  parent: .*\n", "", text)
        (folder / name).write_text(text, "utf-8")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Run every example in order; return command -> exit status and what it printed."""
    folder = tmp_path_factory.mktemp("pages")
    survey(folder / "KEN_2026_COPS")
    survey(folder / "quarter", every=4)
    (folder / "withdrawn.txt").write_text("01U0101-1\n", "utf-8")
    commands = [
        *examples(PAGES["sealing"]),
        ("office", "copstats seal quarter --show"),
        ("receiving", "copstats accept KEN_2026_COPS_v01_M --by reviewer"),
        ("receiving", "copstats release 2026-Q4"),
        ("receiving", "copstats review confirm 2026-Q4 KEN --by office"),
        ("receiving", "copstats release 2026-Q4"),
        *examples(PAGES["data-protection"]),
    ]
    done = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "src"), os.environ["PYTHONPATH"]])},
        input="".join(f"{json.dumps([str(folder / place), command])}\n" for place, command in commands),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {command: (status, text) for command, status, text in map(json.loads, done.stdout.splitlines())}


@pytest.fixture(scope="module")
def said(run: dict[str, tuple[int, str]]) -> dict[str, str]:
    return {command: text for command, (_, text) in run.items()}


def test_every_example_runs(run: dict[str, tuple[int, str]]) -> None:
    expected = [command for page in PAGES.values() for _, command in examples(page)]
    assert len(expected) > 12
    assert set(expected) <= run.keys()
    assert {command: text for command, (status, text) in run.items() if status} == {}


def flat(text: str) -> str:
    """Return a text without the breaks of its lines."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("mark", "command"),
    [
        ("all", "copstats seal KEN_2026_COPS --to receiving.copstats-key --show"),
        ("verdict", "copstats seal quarter --show"),
    ],
)
def test_the_words_on_risk_are_those_of_the_command(said: dict[str, str], mark: str, command: str) -> None:
    found = re.search(rf"<!-- risk: {mark} -->\n```text\n(.*?)```", PAGES["sealing"], re.DOTALL)
    assert found is not None
    told = flat(said[command])
    for line in found[1].splitlines():
        assert line in told


def test_the_list_shows_every_treatment_that_the_page_explains(said: dict[str, str]) -> None:
    told = flat(said["copstats seal KEN_2026_COPS --to receiving.copstats-key --show"])
    rows = re.findall(
        r"^\| (as it is|made coarser|pseudonym|not in the list) \|", PAGES["sealing"], re.MULTILINE
    )
    assert len(rows) == 4
    for treatment in rows[:3]:
        assert treatment in told
    assert "int_lang: does not leave the country. Records: 1,487." in told


def test_the_receipt_names_what_the_page_asks_for(said: dict[str, str]) -> None:
    receipt = said["copstats status KEN_2026_COPS_v01_M"]
    for part in ("KEN_2026_COPS_v01_M", "waiting", "child 1,487", "content_sha256", "UTC"):
        assert part in receipt


def test_a_withdrawn_child_is_gone(said: dict[str, str]) -> None:
    told = flat(said["copstats withdraw children KEN_2026_COPS.copwithdrawal"])
    assert "Children withdrawn for the first time: 1 Records destroyed: 1" in told


def test_the_limits_are_those_of_the_definitions() -> None:
    variables = load_framework().variables("child")
    region, family = variables["adm1"].coarsen, variables["live_parents"].coarsen
    assert region is not None
    assert region.merge_below is not None
    assert family is not None
    assert family.merge_below is not None
    page = PAGES["sealing"]
    assert f"fewer than {region.merge_below.records} children in the file" in page
    assert f"fewer than {region.merge_below.population:,.0f} in the population" in page
    assert f"`{region.merge_below.into}`" in page
    assert f"fewer than {100 * (family.merge_below.share or 0):g} %" in page
    assert LEAST_GROUP == 3
    assert "at least three children share everything" in page
    assert f"chance is above {100 * LARGEST_RISK:g} %" in page
    days = HomeConfig(layout=1).quarantine_days
    assert f"at most {days} days (`quarantine_days`)" in PAGES["data-protection"]


@pytest.mark.parametrize("name", PAGES)
def test_commands_tests_and_headings_exist(name: str) -> None:
    page = PAGES[name]
    for command, following in re.findall(r"`copstats ([a-z]+)(?: ([a-z-]+))?", page):
        assert command in COMMANDS
        found = subcommands(command)
        assert not found or following in {*found, ""}, f"{command} {following}"
    for test in re.findall(r"`(tests/[\w/]+\.py)`", page):
        assert (ROOT / test).is_file(), test
    for target, heading in re.findall(r"\]\(([\w.-]*)#([\w-]+)\)", page):
        held = (ROOT / "docs" / target).read_text("utf-8") if target else page
        assert heading in {anchor(title) for title in re.findall(r"^#+ (.*)$", held, re.MULTILINE)}, heading


def subcommands(command: str) -> set[str]:
    module, _ = COMMANDS[command]
    group: Any = getattr(__import__(f"copstats.cli.{module}", fromlist=[command]), command)
    return set(group.commands) if isinstance(group, click.Group) else set()


def anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-")


@pytest.mark.parametrize("name", PAGES)
def test_no_table_has_a_gap(name: str) -> None:
    tables = re.findall(r"(?:^\|.*\n)+", PAGES[name], re.MULTILINE)
    assert tables
    for table in tables:
        head, _, *rows = (
            [cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()
        )
        for row in rows:
            assert len(row) == len(head), row
            assert all(row), row
