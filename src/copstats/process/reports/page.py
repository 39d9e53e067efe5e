"""The report as one HTML page: nothing is loaded from elsewhere, and no script runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from copstats.framework import Framework
from copstats.framework.definitions import Severity
from copstats.language import N_, Translations
from copstats.process.check import SEVERITIES, CheckResult
from copstats.process.pictures import DesignFigures, Pictures
from copstats.process.reports import drawing
from copstats.process.reports.content import Entry, entries, silent
from copstats.process.reports.places import Place
from copstats.process.reports.texts import (
    SEVERITY_MEANINGS,
    SEVERITY_NAMES,
    SHEETS,
    STATE_MEANINGS,
    STATE_NAMES,
    broken,
    level_name,
    next_step,
    verdict,
)


@dataclass(frozen=True)
class Chapter:
    """The findings of one severity."""

    severity: Severity
    title: str
    meaning: str
    findings: int
    rules: int
    entries: tuple[Entry, ...]


def page(
    result: CheckResult,
    framework: Framework,
    words: Translations,
    places: Mapping[str, Place],
    pictures: Pictures | None,
) -> str:
    """Return the page.

    Args:
        result: what came of the check.
        framework: that it was checked against.
        words: language of the page; sets its direction.
        places: record kind -> how its data file is addressed.
        pictures: counts for the pictures; None leaves them out.
    """
    environment = Environment(
        autoescape=True,
        loader=FileSystemLoader(Path(__file__).parent),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["number"] = words.number
    environment.globals["text"] = words.text
    return environment.get_template("report.html.jinja").render(
        result=result,
        framework=f"{framework.id} {framework.head.version}",
        status="accepted" if result.accepted else "open" if result.sound else "refused",
        verdict=verdict(result, words),
        next_step=next_step(result, words),
        chapters=_chapters(result, places, words),
        levels=_levels(result, words),
        states=_states(result, words),
        silent=silent(result, words),
        states_named={state: words.text(name) for state, name in STATE_NAMES.items()},
        severities_named={severity: words.text(name) for severity, name in SEVERITY_NAMES.items()},
        designs=[_design(one, words) for one in pictures.designs] if pictures else [],
        histograms=_histograms(pictures, words),
        canvas=drawing.CANVAS,
        strips=drawing.strips(pictures.answers, framework, words) if pictures else (),
        parts={part: words.text(name) for part, name in drawing.PARTS.items()},
        notice=words.notice,
        language=words.language,
        direction=words.direction,
        say=_headings(words),
    )


def _chapters(result: CheckResult, places: Mapping[str, Place], words: Translations) -> list[Chapter]:
    told = entries(result, places, words)
    rules = broken(result)
    return [
        Chapter(
            severity,
            words.text(SEVERITY_NAMES[severity]),
            words.text(SEVERITY_MEANINGS[severity]),
            result.severities[severity],
            rules[severity],
            tuple(entry for entry in told if entry.severity == severity),
        )
        for severity in SEVERITIES
    ]


def _levels(result: CheckResult, words: Translations) -> dict[str, dict[str, int]]:
    """Return level in words -> severity -> number of findings, for the levels that were looked at."""
    counts: dict[int, dict[str, int]] = {}
    for outcome in result.outcomes:
        if outcome.state in ("passed", "failed"):
            row = counts.setdefault(outcome.rule.level, dict.fromkeys(SEVERITIES, 0))
            row[outcome.rule.severity] += outcome.count
    return {level_name(level, words): counts[level] for level in sorted(counts)}


def _states(result: CheckResult, words: Translations) -> list[tuple[str, int, str]]:
    """Return the states that occur: name, number of rules, meaning."""
    return [
        (words.text(name), result.states[state], words.text(STATE_MEANINGS[state]))
        for state, name in STATE_NAMES.items()
        if result.states[state]
    ]


def _design(figures: DesignFigures, words: Translations) -> dict[str, Any]:
    none = words.text("none")
    return {
        "record": figures.record,
        "records": words.number(figures.records),
        "strata": none if figures.strata is None else words.number(figures.strata),
        "psus": none if figures.psus is None else words.number(figures.psus),
        "kish": "" if figures.kish is None else words.number(figures.kish, 2),
    }


def _histograms(pictures: Pictures | None, words: Translations) -> dict[str, Any]:
    """Return record kind -> drawn histogram and whether its axis is logarithmic."""
    if pictures is None:
        return {}
    return {
        str(record): (drawing.histogram(bars, words), bars.logarithmic)
        for record, bars in pictures.weights.items()
    }


def _headings(words: Translations) -> dict[str, str]:
    """Return the fixed texts of the page."""
    return {
        "report": words.text("Report of a check"),
        "skip": words.text("Skip to the content"),
        "contents": words.text("Contents"),
        "keep": words.text(
            "Keep this page where you keep the data file: record numbers lead to children's answers. "
            "Do not send it by e-mail."
        ),
        "files": words.text("Data files"),
        "framework": words.text("Framework"),
        "records": words.text("Records"),
        "next": words.text("What happens next"),
        "counts": words.text("Findings at a glance"),
        "level": words.text("Validation level"),
        "none": words.text("None."),
        "why": words.text("Why it matters"),
        "fix": words.text("How to put it right"),
        "variable": words.text("Variable"),
        "column": words.text("Your column"),
        "findings": words.text("Findings"),
        "share": words.text("Share of records"),
        "where": words.text("Where"),
        "where_note": words.text(
            "Record 1 is the first below the heading of the file; "
            "for an Excel sheet the cell stands behind it."
        ),
        "codebook": words.text(
            "Codes, ranges and forms stand in the codebook: {command}",
            command="copstats framework export codebook -o codebook",
        ),
        "rule": words.text("Rule"),
        "file": words.text("File"),
        "rules": words.text("Rules"),
        "states": words.text("What came of the rules"),
        "state": words.text("State"),
        "number": words.text("Number"),
        "meaning": words.text("Meaning"),
        "silent": words.text("Rules that were not evaluated"),
        "silent_none": words.text("All rules were evaluated."),
        "reason": words.text("Reason"),
        "design": words.text("The sample at a glance"),
        "strata": words.text("Strata"),
        "psus": words.text("Primary sampling units"),
        "kish": words.text("Kish effect of the weights"),
        "kish_note": words.text(
            "The Kish effect is the factor by which unequal weights alone raise variances; it is 1 where all "
            "weights are equal."
        ),
        "weights": words.text("Distribution of the weights"),
        "weights_log": words.text("Distribution of the weights (logarithmic axis)"),
        "weight": words.text(N_("weight")),
        "answers": words.text("Answers and gaps"),
        "answers_note": words.text(
            "How the cells of each variable are filled, in per cent of all records. "
            "Unfold a module to see its variables."
        ),
        "answer": words.text("Cells"),
        "absent": words.text("not in the file"),
        "sheets": words.text("All findings, one a row, stand in {file}.", file=SHEETS),
    }
