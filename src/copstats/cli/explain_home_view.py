"""Shows what the home adds to the explanation of a value."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.text import Text

from copstats.cli.explain_parts import listed, section
from copstats.language import N_

if TYPE_CHECKING:
    from rich.console import RenderableType

    from copstats.analyse.comparability import Judged
    from copstats.explaining import KeptFacts, PastVintage, Question
    from copstats.explaining.published import Row
    from copstats.language import Translations

_ESTIMATED = (
    "estimate",
    "se",
    "ci_lower",
    "ci_upper",
    "df",
    "n",
    "events",
    "psus",
    "strata",
    "deff",
    "state",
)
_CUSTODY = {
    "single": N_("single: the receiving side saw the raw file and made the pseudonyms alone"),
    "double": N_("double: the office made the pseudonyms, and the receiving side replaced them"),
}
_DESIGN = {
    "weight": N_("weight"),
    "stratum": N_("stratum"),
    "psu": N_("cluster"),
    "fpc": N_("clusters in the frame"),
    "replicate_weights": N_("replicate weights"),
    "overlap": N_("shared with an earlier round"),
}


def home_parts(kept: KeptFacts, words: Translations, *, sql: bool) -> list[RenderableType]:
    """Return the sections of the screen."""
    asked = [_question(one, words) for one in kept.questions]
    questions = (words.text("Question"), words.text("National column"), words.text("Wording and scale"))
    past = [_vintage(one, words) for one in kept.vintages]
    vintages = (words.text("Vintage"), words.text("Computed"), words.text("Submission"), words.text("Value"))
    criteria = [_criterion(one, words) for one in kept.criteria]
    rounds = [(one.source, one.grade, one.reasons, one.ages or "") for one in kept.rounds]
    parts = [
        section(words.text("Submission in this home"), _behind(kept, words)),
        listed(words.text("Questions"), [*questions, words.text("Recall period")], asked),
        listed(words.text("Criteria of comparability"), _criteria_titles(words), criteria),
        listed(words.text("Vintages"), [*vintages, words.text("Releases")], past),
    ]
    if rounds:
        titles = (words.text("Submission"), words.text("Class"), words.text("Reasons"))
        title = words.text("Other rounds, and the class in which they may be compared with this value")
        parts.append(listed(title, [*titles, words.text("Common ages")], rounds))
    if kept.estimate is not None:
        rows = [(name, str(kept.estimate[name])) for name in _ESTIMATED]
        title = words.text("Restricted: the estimate before disclosure control")
        parts.append(section(title, rows))
    return parts + _sql(kept, words, sql)


def _sql(kept: KeptFacts, words: Translations, sql: bool) -> list[RenderableType]:
    if kept.sql is None:
        return []
    if sql:
        return [f"[bold]{escape(words.text('SQL'))}[/]", Text(kept.sql)]
    return [f"[dim]{escape(words.text('--sql prints the SQL that makes the estimates.'))}[/]"]


def home_json(kept: KeptFacts) -> dict[str, Any]:
    """Return what the home adds, as it is printed with ``--json``."""
    behind = kept.behind
    made = behind.provenance
    told = ("custody", "linkage", "key_id", "signing_key", "agreement")
    return {
        "state": behind.state,
        "received_at": behind.received_at,
        "decisions": [dataclasses.asdict(one) for one in behind.decisions],
        "provenance": None if made is None else {name: getattr(made, name) for name in told},
        "design": behind.design,
        "questions": [dataclasses.asdict(one) for one in kept.questions],
        "criteria": [
            {
                "criterion": one.criterion,
                "class": one.grade,
                "shown": [fact.value for fact in one.facts],
                "reasons": sorted(one.reasons),
            }
            for one in kept.criteria
        ],
        "sql": kept.sql,
        "vintages": [dataclasses.asdict(one) for one in kept.vintages],
        "rounds": [dataclasses.asdict(one) for one in kept.rounds],
        "estimate": kept.estimate,
    }


def _behind(kept: KeptFacts, words: Translations) -> list[tuple[str, str | None]]:
    behind = kept.behind
    made = behind.provenance
    design = "; ".join(f"{words.text(_DESIGN[name])} {told}" for name, told in behind.design.items() if told)
    return [
        (words.text("State"), behind.state),
        (words.text("Received"), behind.received_at.date().isoformat()),
        *(
            (words.text("Decision"), f"{one.at.date()} {one.state} ({one.who}) {one.reason}".strip())
            for one in behind.decisions
        ),
        (words.text("Custody"), None if made is None else words.text(_CUSTODY[made.custody])),
        (words.text("Pseudonyms"), None if made is None else f"{made.linkage}, {made.key_id}"),
        (words.text("Design"), design),
    ]


def _question(one: Question, words: Translations) -> tuple[str, ...]:
    column = one.column or ("" if one.recode == "own" else one.recode)
    wording = f"{one.wording}, {one.scale}" + ("" if one.asked_of == "universe" else f", {one.asked_of}")
    text = f"{one.variable}  {words.text(one.label)}" + ("" if one.text is None else f": {one.text}")
    return (text, column, wording, one.recall or words.text(N_("unknown")))


def _criteria_titles(words: Translations) -> list[str]:
    return [words.text("Criterion"), words.text("Class"), words.text("What the survey shows")]


def _criterion(one: Judged, words: Translations) -> tuple[str, ...]:
    shown = dict.fromkeys(
        words.text(N_("unknown")) if fact.value is None else _fact(fact.value) for fact in one.facts
    )
    return (one.criterion, one.grade, ", ".join(shown) or words.text("as in the framework"))


def _fact(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _vintage(one: PastVintage, words: Translations) -> tuple[str, ...]:
    return (
        str(one.number),
        one.computed_at.date().isoformat(),
        one.submission,
        _told(one.value),
        ", ".join(one.releases),
    )


def _told(value: Row | None) -> str:
    if value is None:
        return "-"
    return value["reason"] if value["value"] is None else f"{value['value']:g}"
