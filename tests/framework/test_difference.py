"""Each change between two versions is found once, and told with what it means."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.framework import consequences as means
from copstats.framework import load_framework
from copstats.framework.change import Change, Consequence
from copstats.framework.definitions import (
    AdministrativeVariable,
    Ages,
    Dimension,
    FrameworkHead,
    Indicator,
    MissingCode,
    Module,
    PolicyItem,
    Rule,
    RuleClass,
    Variable,
)
from copstats.framework.difference import Difference, difference, difference_between
from copstats.framework.expressions import parse_predicate
from copstats.framework.versions import Changes
from copstats.language.translations import Translations, translations
from tests.framework.later_version import NEW, OLD, add_version, copied_project, own_indicator

CONTACT = "variables/09-contact.yaml"
USE = "variables/06-use.yaml"
HARM = "variables/13-harm.yaml"
ACCESS = "variables/05-access.yaml"
LISTS = "codelists.yaml"
HEAD = "framework.yaml"
RULES = "rules.yaml"

SNS = """  sns_public:
    label: Main social media profile is visible to everyone
    type: code
    status: optional
    privacy: keep
    definition: Whether anyone can see the profile that the child uses most.
    codelist: CL_PROFILE
    universe: net_3m = 1
    recall: now
    source: [EU Kids Online]
"""
SNS_RULE_START, SNS_RULE_END = "  daily_social_media_without_profile:\n", "  upset_not_at_all:\n"


class Edit(NamedTuple):
    """One edit, what is declared of it, and the one change that it makes (without the indicators)."""

    file: str
    before: str
    after: str
    change: Change
    declared: dict[str, str] = {}  # noqa: RUF012


def one(
    subject: str, action: str, name: str, consequence: Consequence, part: str | None = None, **texts: str
) -> Change:
    return Change(subject, action, name, consequence, part, **texts)  # type: ignore[arg-type]


EDITS = {
    "words": Edit(
        CONTACT,
        "definition: Whether, in the last 12 months, the child met in person somebody first known online.",
        "definition: Whether the child met somebody first known online, in the last 12 months.",
        one("variable", "changed", "child.rct_met", means.WORDS, "definition"),
    ),
    "new optional variable": Edit(
        USE,
        SNS,
        SNS + SNS.replace("sns_public", "sns_public2"),
        one("variable", "added", "child.sns_public2", means.MORE),
    ),
    "new core variable": Edit(
        HARM,
        "  hrm_intens:\n",
        SNS.replace("sns_public", "hrm_where").replace("status: optional", "status: core")
        + "  hrm_intens:\n",
        one("variable", "added", "child.hrm_where", means.RECODE),
    ),
    "renamed": Edit(
        CONTACT,
        "  rct_gift:\n",
        "  rct_offer:\n",
        one("variable", "renamed", "child.rct_offer", means.RECODE, before="child.rct_gift"),
        {"child": "  rct_offer: {renamed_from: rct_gift}\n"},
    ),
    "merged": Edit(
        LISTS,
        '    4: {label: "5 to 6 hours"}\n    5: {label: "7 hours or more"}\n',
        "    4: {label: 5 hours or more}\n",
        one("code", "merged", "CL_NET_HOURS 4", means.RECODE, before="4, 5", note="Few answers."),
        {"codelists": "  CL_NET_HOURS:\n    merged: [{from: [4, 5], into: 4, note: Few answers.}]\n"},
    ),
    "split": Edit(
        LISTS,
        "    4: {label: Very}\n",
        "    4: {label: Very}\n    5: {label: Extremely}\n",
        one("code", "split", "CL_INTENSITY 4", means.RECODE, after="4, 5", note="Finer."),
        {"codelists": "  CL_INTENSITY:\n    split: [{from: 4, into: [4, 5], note: Finer.}]\n"},
    ),
    "added code, declared": Edit(
        LISTS,
        "    8: {label: Other}\n",
        "    8: {label: Other}\n    9: {label: Video call}\n",
        one("code", "added", "CL_MODE 9", means.MORE, note="New mode."),
        {"codelists": "  CL_MODE:\n    added: [{code: 9, note: New mode.}]\n"},
    ),
    "added code, not declared": Edit(
        LISTS,
        "    4: {label: Classroom setting}\n",
        "    4: {label: Classroom setting}\n    5: {label: Street}\n",
        one("code", "added", "CL_PRIVACY 5", means.BREAK_AND_RECODE),
    ),
    "code gone": Edit(
        LISTS,
        "    5: {label: Other guardian}\n",
        "",
        one("code", "removed", "CL_RELATION 5", means.BREAK_AND_RECODE),
    ),
    "label of a code": Edit(
        LISTS,
        "    3: {label: Fairly}\n",
        "    3: {label: Quite}\n",
        one("code", "changed", "CL_INTENSITY 3", means.WORDS, "label", before="Fairly", after="Quite"),
    ),
    "published category": Edit(
        LISTS,
        "sdmx: O}",
        "sdmx: OTH}",
        one("code", "changed", "CL_SEX 3", means.BREAK, "sdmx", before="O", after="OTH"),
    ),
    "new code list": Edit(
        LISTS,
        "CL_SEX:\n",
        "CL_NEW:\n  title: New\n  codes:\n    1: {label: One}\nCL_SEX:\n",
        one("code list", "added", "CL_NEW", means.MORE),
    ),
    "rule": Edit(
        RULES,
        "violation: net_age1 < 2",
        "violation: net_age1 < 3",
        one(
            "rule",
            "changed",
            "age_first_use_implausible",
            means.MORE,
            "violation",
            before="net_age1 < 2",
            after="net_age1 < 3",
        ),
    ),
    "words of a rule": Edit(
        RULES,
        "      fix: Check age and net_age1; a calendar year",
        "      fix: Look at both ages; a calendar year",
        one("rule", "changed", "age_first_use", means.WORDS, "message"),
    ),
    "ages": Edit(
        HEAD,
        "  maximum: 17\n",
        "  maximum: 18\n",
        one("ages", "changed", "maximum", means.BREAK, before="17", after="18"),
    ),
    "disaggregation": Edit(
        HEAD,
        "  region: [region]\n",
        "  region: [region]\n  sex_region: [sex, region]\n",
        one("disaggregation", "added", "sex_region", means.MORE),
    ),
    "missing code": Edit(
        HEAD,
        "    label: Prefers not to say\n",
        "    label: Refused\n",
        one(
            "missing code",
            "changed",
            "-9",
            means.WORDS,
            "label",
            before="Prefers not to say",
            after="Refused",
        ),
    ),
    "module": Edit(
        HARM,
        "title: Harm\n",
        "title: Harm done\n",
        one("module", "changed", "harm", means.WORDS, "title", before="Harm", after="Harm done"),
    ),
}
EDITS["removed, declared"] = Edit(
    USE,
    SNS,
    "",
    one("variable", "removed", "child.sns_public", means.BREAK_AND_RECODE, note="Obsolete."),
    {"removed": "  child:\n    sns_public: {note: Obsolete.}\n"},
)
EXCLUDE = {"removed, declared": {"new optional variable"}, "new optional variable": {"removed, declared"}}


def without_indicators(change: Change) -> tuple[object, ...]:
    words = change.part in ("definition", "message")
    texts = (None, None) if words else (change.before, change.after)
    return change.subject, change.action, change.name, change.consequence, change.part, *texts, change.note


def compared(project: Path, names: list[str]) -> Difference:
    """Make a version with some of the edits and compare."""
    files: dict[str, list[tuple[str, str]]] = {}
    declared: dict[str, str] = {}
    for name in names:
        edit = EDITS[name]
        files.setdefault(edit.file, []).append((edit.before, edit.after))
        for key, lines in edit.declared.items():
            declared[key] = declared.get(key, "") + lines
    if "removed, declared" in names:
        rules = (project / "schemas" / OLD / RULES).read_text("utf-8")
        rule = rules[rules.index(SNS_RULE_START) : rules.index(SNS_RULE_END)]
        files.setdefault(RULES, []).append((rule, ""))
    text = "".join(f"{key}:\n{lines}" for key, lines in declared.items())
    add_version(project, files, text)
    if "renamed" in names:
        own_indicator(project, "RCT4", "rct_gift = 1", "rct_offer = 1")
    return difference_between(OLD, NEW, project)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied_project(tmp_path)


@pytest.mark.parametrize("name", EDITS)
def test_one_edit_is_one_change(project: Path, name: str) -> None:
    found = [without_indicators(change) for change in compared(project, [name]).changes]
    expected = [without_indicators(EDITS[name].change)]
    if name == "removed, declared":
        gone = one("rule", "removed", "daily_social_media_without_profile", means.MORE)
        expected.append(without_indicators(gone))
    assert sorted(found, key=str) == sorted(expected, key=str)


@settings(max_examples=12, deadline=None)
@given(st.sets(st.sampled_from(sorted(EDITS)), min_size=2))
def test_several_edits_are_found_once_each(names: set[str]) -> None:
    if "removed, declared" in names:
        names -= EXCLUDE["removed, declared"]
    folder = Path(tempfile.mkdtemp())
    try:
        changes = compared(copied_project(folder), sorted(names)).changes
    finally:
        shutil.rmtree(folder)
    found = [without_indicators(c) for c in changes if c.name != "daily_social_media_without_profile"]
    assert sorted(found, key=str) == sorted((without_indicators(EDITS[n].change) for n in names), key=str)


def test_a_version_does_not_differ_from_itself() -> None:
    framework = load_framework()
    found = difference(framework, framework, Changes(follows=framework.id))
    assert (found.changes, found.level, found.incomparable) == ((), None, ())
    assert not found.concerns_crosswalks
    assert difference_between(OLD, OLD).changes == ()


def test_a_copy_does_not_differ(project: Path) -> None:
    add_version(project, {})
    assert difference_between(OLD, NEW, project).changes == ()


def test_layout_of_a_predicate_is_no_change(project: Path) -> None:
    add_version(
        project,
        {
            HARM: [
                ("codelist: CL_FREQ\n    universe: net_3m = 1", "codelist: CL_FREQ\n    universe: net_3m=1")
            ]
        },
    )
    assert difference_between(OLD, NEW, project).changes == ()


def test_without_a_declaration_a_renamed_variable_is_one_gone_and_one_new(project: Path) -> None:
    add_version(project, {CONTACT: [("  rct_gift:\n", "  rct_offer:\n")]})
    found = difference_between(OLD, NEW, project)
    assert {(c.subject, c.action, c.name) for c in found.changes} == {
        ("variable", "removed", "child.rct_gift"),
        ("variable", "added", "child.rct_offer"),
        ("indicator", "removed", "RCT4"),
        ("indicator", "removed", "RCT7"),
    }
    assert found.incomparable == ("RCT4", "RCT7")


def test_a_new_recall_period_breaks_the_indicators_that_read_the_variable(project: Path) -> None:
    old = '    universe: rct_unknown = 1\n    recall: "12 months"\n'
    add_version(project, {CONTACT: [(old, "    universe: rct_unknown = 1\n    recall: ever\n")]})
    (change,) = difference_between(OLD, NEW, project).changes
    assert (change.subject, change.name, change.before, change.after) == (
        "recall",
        "child.rct_met",
        "12 months",
        "ever",
    )
    assert change.consequence == means.BREAK_AND_RECODE
    indicators = load_framework().indicators
    assert change.indicators == tuple(sorted(c for c, i in indicators.items() if "rct_met" in i.variables))
    assert "RCT2" in change.indicators


def test_a_new_universe_breaks_and_follows_a_renamed_filter(project: Path) -> None:
    add_version(
        project,
        {
            CONTACT: [
                ("  rct_unknown:\n", "  rct_new:\n"),
                ("universe: rct_unknown = 1", "universe: rct_new = 0"),
            ]
        },
        "child:\n  rct_new: {renamed_from: rct_unknown}\n",
    )
    changes = {(c.subject, c.name): c for c in difference_between(OLD, NEW, project).changes}
    change = changes["universe", "child.rct_met"]
    assert (change.before, change.after, change.consequence) == (
        "rct_unknown = 1",
        "rct_new = 0",
        means.BREAK_AND_RECODE,
    )


def test_a_renamed_filter_alone_changes_no_universe(project: Path) -> None:
    add_version(
        project,
        {
            CONTACT: [
                ("  rct_unknown:\n", "  rct_new:\n"),
                ("universe: rct_unknown = 1", "universe: rct_new = 1"),
            ]
        },
        "child:\n  rct_new: {renamed_from: rct_unknown}\n",
    )
    found = difference_between(OLD, NEW, project)
    assert [c.name for c in found.changes if c.subject == "universe"] == []


def test_merging_codes_that_an_indicator_tells_apart_breaks_it(project: Path) -> None:
    """USE3 counts 5 hours or more (codes 4 and 5): merging 3 and 4 takes its border away."""
    three_four = '    3: {label: "3 to 4 hours"}\n    4: {label: "5 to 6 hours"}\n'
    add_version(
        project,
        {LISTS: [(three_four, '    4: {label: "3 to 6 hours"}\n')]},
        "codelists:\n  CL_NET_HOURS:\n    merged: [{from: [3, 4], into: 4, note: x}]\n",
    )
    found = difference_between(OLD, NEW, project)
    (change,) = found.changes
    assert (change.consequence, change.indicators) == (means.BREAK_AND_RECODE, ("USE3",))
    assert (found.level, found.incomparable) == ("major", ("USE3",))


def test_a_new_number_of_a_code_is_held_against_the_predicates(project: Path) -> None:
    """Code 3 (3 to 4 hours) moved above the border of 4 would count in USE3."""
    hours = (
        '    3: {label: "3 to 4 hours"}\n    4: {label: "5 to 6 hours"}\n    5: {label: "7 hours or more"}\n'
    )
    moved = hours.replace("    3: {", "    6: {")
    add_version(
        project,
        {LISTS: [(hours, moved)]},
        "codelists:\n  CL_NET_HOURS:\n    merged: [{from: [3], into: 6, note: x}]\n",
    )
    (change,) = difference_between(OLD, NEW, project).changes
    assert change.consequence == means.BREAK_AND_RECODE


def test_merging_two_published_categories_breaks(project: Path) -> None:
    add_version(
        project,
        {
            LISTS: [
                (
                    "    1: {label: Poorest, sdmx: Q1}\n    2: {label: Second, sdmx: Q2}\n",
                    "    2: {label: Poorer, sdmx: Q2}\n",
                )
            ]
        },
        "codelists:\n  CL_QUINTILE:\n    merged: [{from: [1, 2], into: 2, note: x}]\n",
    )
    assert difference_between(OLD, NEW, project).changes[0].consequence == means.BREAK_AND_RECODE


def test_an_indicator_changed_in_one_version_breaks(project: Path) -> None:
    add_version(project, {})
    own_indicator(project, "HRM2", "numerator: hrm_intens >= 3", "numerator: hrm_intens >= 4")
    (change,) = difference_between(OLD, NEW, project).changes
    assert (change.subject, change.name, change.part, change.consequence) == (
        "indicator",
        "HRM2",
        "numerator",
        means.BREAK,
    )
    assert (change.before, change.after, change.indicators) == (
        "hrm_intens >= 3",
        "hrm_intens >= 4",
        ("HRM2",),
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("optional", "required", means.COLLECT),
        ("core", "required", means.COLLECT),
        ("optional", "core", means.RECODE),
        ("core", "optional", means.MORE),
        ("required", "core", means.MORE),
        (None, "required", means.COLLECT),
        (None, "core", means.RECODE),
        (None, "optional", means.MORE),
    ],
)
def test_status(before: str | None, after: str, expected: Consequence) -> None:
    assert means.status(before, after) == expected


@pytest.mark.parametrize(
    ("part", "before", "after", "crosswalk"),
    [
        ("maximum", 17, 20, False),
        ("maximum", 17, 15, True),
        ("minimum", 0, -1, False),
        ("minimum", 0, 1, True),
    ],
)
def test_a_narrower_range_concerns_crosswalks(
    project: Path, part: str, before: int, after: int, crosswalk: bool
) -> None:
    limits = "    minimum: 0\n    maximum: 17\n    universe: net_3m = 1\n    recall: lifetime\n"
    add_version(project, {ACCESS: [(limits, limits.replace(f"{part}: {before}", f"{part}: {after}"))]})
    (change,) = difference_between(OLD, NEW, project).changes
    assert (change.part, change.consequence.crosswalk, change.consequence.breaks) == (part, crosswalk, False)


TABLES = [
    (Variable, means.VARIABLE, {"status"}),
    (Indicator, means.INDICATOR, {"code"}),
    (MissingCode, means.MISSING_CODE, set()),
    (Ages, means.AGES, set()),
    (Dimension, means.DIMENSION, set()),
    (AdministrativeVariable, means.ADMINISTRATIVE, set()),
    (PolicyItem, means.POLICY, set()),
    (Module, means.MODULE, {"module", "variables"}),
    (FrameworkHead, means.HEAD, {"id", "version", "missing", "ages", "dimensions", "disaggregations"}),
]


@pytest.mark.parametrize(("kind", "table", "elsewhere"), TABLES, ids=[kind.__name__ for kind, _, _ in TABLES])
def test_no_entry_of_a_definition_is_left_out(
    kind: type, table: dict[str, Consequence], elsewhere: set[str]
) -> None:
    assert table.keys() | elsewhere == set(kind.__struct_fields__)  # type: ignore[attr-defined]
    assert not table.keys() & elsewhere


def test_no_entry_of_a_rule_is_left_out() -> None:
    assert means.RULE.keys() == {*Rule.__struct_fields__, *RuleClass.__struct_fields__}


def test_as_json_is_json(project: Path) -> None:
    found = compared(project, ["merged", "words", "added code, not declared"])
    data = json.loads(json.dumps(found.as_json()))
    assert data["old"] == {"framework": OLD, "version": "1.0.0"}
    assert data["level"] == "major"
    assert data["crosswalk"] is True
    assert [change["level"] for change in data["changes"]] == ["major", "minor", "patch"]
    assert data["changes"][1] == {
        "subject": "code",
        "action": "merged",
        "name": "CL_NET_HOURS 4",
        "part": None,
        "before": "4, 5",
        "after": None,
        "level": "minor",
        "breaks_comparability": False,
        "crosswalk": True,
        "indicators": [],
        "note": "Few answers.",
    }


def test_the_difference_is_written_for_a_reader(project: Path) -> None:
    text = compared(project, ["renamed", "code gone", "words"]).render(Translations("en"))
    lines = text.splitlines()
    assert lines[0] == "From cop-2026 (1.0.0) to cop-2026.1 (1.0.0)"
    assert lines.index("Major changes: 1") < lines.index("Minor changes: 1")
    assert "  Code CL_RELATION 5: removed" in lines
    assert "  Variable child.rct_offer: renamed, before child.rct_gift" in lines
    assert "{" not in text


def test_no_change_is_said() -> None:
    assert difference_between(OLD, OLD).render(Translations("en")).endswith("No change.")


@pytest.mark.parametrize("language", ["ar", "es", "fr", "ru", "zh"])
def test_the_difference_is_written_in_every_language(project: Path, language: str) -> None:
    text = compared(project, ["renamed", "merged"]).render(translations(language))
    assert "child.rct_offer" in text
    assert "{" not in text


VARIABLES = load_framework().variables("child")
LISTS_OF = load_framework().codelists


@given(
    st.sampled_from(["act_learn {} {}", "act_learn {} {} AND net_3m = 1", "NOT (act_learn {} {})"]),
    st.sampled_from(["=", "<>", "<", "<=", ">", ">="]),
    st.integers(1, 5),
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1),
)
def test_codes_agree_as_the_comparison_says(
    form: str, sign: str, number: int, pairs: list[tuple[int, int]]
) -> None:
    """Against Python's own operators."""
    predicate = parse_predicate(form.format(sign, number), VARIABLES, LISTS_OF)
    python = {"=": "==", "<>": "!="}.get(sign, sign)
    holds = {code: eval(f"{code} {python} {number}") for code in range(1, 6)}  # noqa: S307
    expected = all(holds[before] == holds[after] for before, after in pairs)
    assert means.same_answer(predicate, predicate, ("act_learn", "act_learn"), pairs) == expected


@pytest.mark.parametrize(
    ("text", "pairs", "expected"),
    [
        ("act_learn IN (4, 5)", [(4, 5)], True),
        ("act_learn IN (4, 5)", [(3, 4)], False),
        ("act_learn BETWEEN 2 AND 4", [(2, 4)], True),
        ("act_learn BETWEEN 2 AND 4", [(4, 5)], False),
        ("act_learn > act_social", [(1, 1)], False),
        ("act_social > act_learn", [(1, 1)], False),
        ("age > 12", [(1, 5)], True),
    ],
)
def test_codes_agree_in_the_other_forms(text: str, pairs: list[tuple[int, int]], expected: bool) -> None:
    predicate = parse_predicate(text, VARIABLES, LISTS_OF)
    assert means.same_answer(predicate, predicate, ("act_learn", "act_learn"), pairs) == expected
