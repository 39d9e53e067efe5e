"""The report at a terminal: one screen, the gravest first, nothing lost without a word."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from copstats.framework import Framework
from copstats.language import LANGUAGES, translations
from copstats.process.check import CheckResult
from copstats.process.compiled import State
from copstats.process.report import as_json, render_terminal
from copstats.process.reports.content import groups
from copstats.process.reports.texts import LEVELS, STATE_MEANINGS, STATE_NAMES
from tests.process.reporting import ID, checked, children, faulty


def text(result: CheckResult, framework: Framework, width: int = 80, **how: Any) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(render_terminal(result, framework, **how))
    return out.getvalue()


def many(small: Framework) -> CheckResult:
    """Break rules of more kinds than a screen holds."""
    rows = faulty()
    for number, row in enumerate(rows[40:50]):
        row |= {
            "weight": None,
            "age": 99,
            "country_iso3": "UGA",
            "child_id": "twice",
            "stratum": f"X{number}",
        }
        row |= {"net_3m": 7, "fpc_psu": -3}
    return checked(small, rows, not_taken_over=("A", "B"))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("width", [80, 120])
def test_it_fits_a_screen(small: Framework, width: int, language: str) -> None:
    result = many(small)
    assert len(groups(result.messages())) > 9
    shown = text(result, small, width, words=translations(language), written=[Path("out/report.html")])
    lines = shown.splitlines()
    assert 20 <= len(lines) <= 40
    assert max(cell_len(line) for line in lines) <= width
    assert lines[0].startswith(f"{ID} | small-2026")


def test_what_is_not_told_is_counted(small: Framework) -> None:
    result = many(small)
    found = groups(result.messages())
    words = " ".join(text(result, small).split())
    told = [" ".join(group.first.fix.split()) in words for group in found]
    assert told[0]
    assert told == sorted(told, reverse=True)
    assert f"More kinds of findings: {len(found) - sum(told) - 6}" in words
    assert "All findings: --report FOLDER, or --json." in words


def test_it_says_where_the_reports_are(small: Framework) -> None:
    shown = text(
        checked(small, faulty()), small, written=[Path("out/report.html"), Path("out/findings.xlsx")]
    )
    assert "All findings, with reasons: out/report.html" in shown
    assert "--json" not in shown


def test_a_clean_file_takes_few_lines(small: Framework) -> None:
    shown = text(checked(small, children()), small)
    assert len(shown.splitlines()) < 10
    assert "No errors found. The acceptance suite was not run." in " ".join(shown.split())


def test_json_says_states_and_levels_in_words(small: Framework) -> None:
    out = as_json(many(small))
    assert {message["level_text"] for message in out["messages"]} <= {
        f"{n}, {t}" for n, t in enumerate(LEVELS)
    }
    assert {one["state_text"] for one in out["not_checked"]} <= set(STATE_NAMES.values())
    assert all(one["reason"] for one in out["not_checked"])
    assert all(message["listed"] == message["count"] for message in out["messages"])


def test_every_state_has_words() -> None:
    assert set(STATE_NAMES) == set(STATE_MEANINGS) == set(State.__args__)
