"""The lines of a manifest to fill in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from copstats.framework.export.output import EPOCH
from copstats.framework.export.selection import Selection
from copstats.language import Translations

NO_AREA = "XXX"
"""No area has this code (ISO 3166 leaves XAA to XZZ to users), so that a check stops at it."""
_COMMENT_AT = 44


def manifest_lines(selection: Selection, modules: Sequence[str], words: Translations) -> Iterator[str]:
    """Yield the lines of ``manifest.yaml``.

    Where a value must be chosen, it is the one that promises least: a manifest that nobody looked at makes no
    claim. What may be left out is commented out.

    Args:
        selection: decides whether there is a parent file.
        modules: modules that the survey covers.
        words: the language of the comments, and of the survey's title.
    """
    lines = [
        ("", words.text("Every entry holds the value that promises least: put in what is true.")),
        ("kind: survey", ""),
        (f"framework: {selection.framework.id}", ""),
        (f"ref_area: {NO_AREA}", words.text("country or area, ISO 3166-1 alpha-3")),
        ("survey: SURVEY", words.text("acronym of the survey: capital letters and digits")),
        (f"reference_year: {EPOCH.year}", ""),
        ("version: 1", words.text("2 for a corrected delivery, and so on")),
        ("title:", ""),
        (f"  {words.language}: {_quoted(words.text('Title of the survey'))}", ""),
        ("fieldwork:", ""),
        (f"  start: {EPOCH.year}-01-01", ""),
        (f"  end: {EPOCH.year}-12-31", ""),
        *_population(selection, words),
        *_sample(words),
        *_modules(modules, words),
        *_conditions(words),
        *_files(selection, words),
    ]
    for line, comment in lines:
        if comment:
            yield f"{line:<{_COMMENT_AT}}  # {comment}" if line else f"# {comment}"
        else:
            yield line


def _population(selection: Selection, words: Translations) -> Iterator[tuple[str, str]]:
    ages = selection.framework.head.ages
    yield "population:", ""
    yield f"  ages: {{min: {ages.minimum}, max: {ages.maximum}}}", words.text("ages that the survey covered")
    yield (
        "  universe: internet_users",
        words.text("or all_children, if those who do not go online were interviewed too"),
    )
    yield "  setting: school", words.text("or household")
    yield "  coverage: subnational", words.text("or national")
    yield "  # excluded: ...", words.text("groups that the sample leaves out")
    yield (
        "  # age_floor: 12",
        words.text("age from which sensitive questions were asked, if above the framework's"),
    )


def _sample(words: Translations) -> Iterator[tuple[str, str]]:
    yield "design:", words.text("columns of the child file, as they are called there")
    yield "  weight: weight", ""
    yield "  stratum: stratum", words.text("null if the sample was not stratified")
    yield "  psu: psu", words.text("null if children were drawn without clusters")
    yield "  # fpc: fpc_psu", words.text("number of primary sampling units of the stratum in the frame")
    yield (
        "sampling: non_probability",
        "probability_documented, probability_partly_documented, non_probability",
    )
    yield "mode: unknown", "self_completed, interviewer_private, interviewer_others_present, mixed, unknown"
    yield "# coverage_share: 0.97", words.text("share of the target population that the frame covers")
    yield "# response_rate: {overall: 0.81}", words.text("and psu, household, child, where known")
    yield "# weight_method: ...", words.text("how the weights were computed")
    yield "# ses_method: ...", words.text("how wealth or affluence was measured")
    yield "# translation: {method: team_review, languages: [en]}", "not_needed, team_review, back_translation"


def _modules(modules: Sequence[str], words: Translations) -> Iterator[tuple[str, str]]:
    yield "modules:", words.text("groups of questions that the survey asked")
    for module in modules:
        yield f"  - {module}", ""
    yield "not_asked: []", words.text("core variables of these modules that the questionnaire did not hold")


def _conditions(words: Translations) -> Iterator[tuple[str, str]]:
    yield "ethics:", ""
    yield "  review: null", words.text("body and reference of its decision")
    yield "  consent: none", "parent_and_child, lawful_waiver, child_only, none"
    yield "dissemination:", ""
    yield "  consent: false", words.text("true, if the country agrees to publication")
    yield "  level: national", words.text("or disaggregated")


def _files(selection: Selection, words: Translations) -> Iterator[tuple[str, str]]:
    yield "files:", words.text("with encoding, decimal, delimiter or sheet, where needed")
    for record in selection.records:
        yield f"  {record}: {{path: {record}.csv}}", ""
    yield "contact:", words.text("a function, not a person")
    yield f"  organisation: {_quoted(words.text('Statistics office'))}", ""
    yield "  # email: statistics@example.org", ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
