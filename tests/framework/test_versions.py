"""Versions side by side: identifiers, order, declarations, and indicators that only some of them have."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from copstats.errors import DefinitionError, UsageError
from copstats.framework import DEFAULT_FRAMEWORK, frameworks, load_framework
from copstats.framework.declared import check_declared, check_number
from copstats.framework.difference import difference_between
from copstats.framework.steps_between import changes_between
from copstats.framework.versions import (
    LEVELS,
    VersionId,
    is_at_least,
    load_changes,
    newest,
    next_number,
)
from tests.framework.later_version import NEW, OLD, add_version, copied_project, edit, own_indicator

CONTACT = "variables/09-contact.yaml"
LISTS = "codelists.yaml"
GIFT_TO_OFFER = {CONTACT: [("  rct_gift:\n", "  rct_offer:\n")]}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return copied_project(tmp_path)


@given(st.integers(1000, 9999), st.integers(0, 50))
def test_an_identifier_is_written_as_it_was_read(year: int, revision: int) -> None:
    one = VersionId("cop", year, revision)
    assert VersionId.parse(str(one)) == one


def test_identifiers_are_in_the_order_of_time() -> None:
    ids = ["cop-2026", "cop-2026.1", "cop-2026.2", "cop-2026.10", "cop-2027"]
    assert [str(one) for one in sorted(map(VersionId.parse, reversed(ids)))] == ids


@pytest.mark.parametrize("text", ["", "cop", "cop-26", "cop-2026.", "cop-2026.1.2", "COP-2026", "cop-2026 "])
def test_another_form_is_no_identifier(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        VersionId.parse(text)
    assert caught.value.code == "U130"
    assert caught.value.hint


@pytest.mark.parametrize(("level", "number"), [("patch", "1.2.4"), ("minor", "1.3.0"), ("major", "2.0.0")])
def test_a_step_raises_the_number(level: str, number: str) -> None:
    assert next_number("1.2.3", level) == number  # type: ignore[arg-type]


@given(st.tuples(*[st.integers(0, 30)] * 3), st.sampled_from(LEVELS))
def test_every_step_leads_upward(parts: tuple[int, int, int], level: str) -> None:
    number = ".".join(map(str, parts))
    raised = next_number(number, level)  # type: ignore[arg-type]
    assert is_at_least(raised, number)
    assert not is_at_least(number, raised)


def test_the_newest_version_is_found(project: Path) -> None:
    assert newest(root=project) == OLD
    for new in ("cop-2026.2", "cop-2026.10"):
        add_version(project, {}, new=new)
    assert newest(root=project) == "cop-2026.10"
    with pytest.raises(UsageError) as caught:
        newest("other", project)
    assert caught.value.code == "U131"


def test_several_versions_are_loaded_side_by_side(project: Path) -> None:
    add_version(project, GIFT_TO_OFFER, "child:\n  rct_offer: {renamed_from: rct_gift}\n")
    assert frameworks(project) == [OLD, NEW]
    old, new = load_framework(OLD, project), load_framework(NEW, project)
    assert (old.id, new.id) == (OLD, NEW)
    assert "rct_gift" in old.variables("child")
    assert "rct_gift" not in new.variables("child")
    assert old.fingerprint != new.fingerprint


def test_an_indicator_without_its_variable_is_absent_in_that_version_only(project: Path) -> None:
    add_version(project, GIFT_TO_OFFER)
    old, new = load_framework(OLD, project), load_framework(NEW, project)
    assert old.indicators.keys() - new.indicators.keys() == {"RCT4", "RCT7"}


def test_an_indicator_of_a_new_variable_is_absent_in_the_older_version(project: Path) -> None:
    add_version(project, GIFT_TO_OFFER)
    file = project / "indicators/contact/RCT9.yaml"
    text = (project / "indicators/contact/RCT4.yaml").read_text("utf-8")
    file.write_text(text.replace("RCT4", "RCT9").replace("rct_gift", "rct_offer"), "utf-8")
    assert "RCT9" not in load_framework(OLD, project).indicators
    assert "RCT9" in load_framework(NEW, project).indicators


def test_a_composite_is_absent_with_its_member(project: Path) -> None:
    add_version(project, {"variables/07-skills.yaml": [("  skl_block:\n", "  skl_stop:\n")]})
    old, new = load_framework(OLD, project), load_framework(NEW, project)
    gone = old.indicators.keys() - new.indicators.keys()
    assert "SKL5" in gone
    assert all("skl_block" in old.indicators[code].variables for code in gone)


def test_a_code_that_only_one_version_has_makes_its_indicator_absent_elsewhere(project: Path) -> None:
    more = [("    4: {label: Very}\n", "    4: {label: Very}\n    5: {label: Extremely}\n")]
    add_version(project, {LISTS: more})
    (file,) = (project / "indicators").rglob("HRM2.yaml")
    edit(file, "hrm_intens >= 3", "hrm_intens >= 5")
    assert "HRM2" not in load_framework(OLD, project).indicators
    assert "HRM2" in load_framework(NEW, project).indicators


def test_a_variable_that_no_version_has_stays_an_error(project: Path) -> None:
    add_version(project, {})
    edit(project / "indicators/contact/RCT4.yaml", "rct_gift", "rct_gfit")
    for version in (OLD, NEW):
        with pytest.raises(DefinitionError) as caught:
            load_framework(version, project)
        assert (caught.value.code, caught.value.where) == ("D006", "RCT4.yaml:8")


def test_a_version_may_have_an_indicator_of_its_own(project: Path) -> None:
    add_version(project, GIFT_TO_OFFER)
    own_indicator(project, "RCT4", "rct_gift = 1", "rct_offer = 1")
    assert load_framework(OLD, project).indicators["RCT4"].definition.numerator == "rct_gift = 1"
    assert load_framework(NEW, project).indicators["RCT4"].definition.numerator == "rct_offer = 1"


def test_an_indicator_of_its_own_must_suit_the_version(project: Path) -> None:
    add_version(project, GIFT_TO_OFFER)
    own_indicator(project, "RCT4", "tier: B", "tier: B\nnote: still asks for rct_gift")
    with pytest.raises(DefinitionError) as caught:
        load_framework(NEW, project)
    assert (caught.value.code, caught.value.where) == ("D006", "RCT4.yaml:8")


def test_folder_and_identifier_agree(project: Path) -> None:
    folder = add_version(project, {})
    edit(folder / "framework.yaml", f"id: {NEW}", "id: cop-2026.7")
    with pytest.raises(DefinitionError) as caught:
        load_framework(NEW, project)
    assert (caught.value.code, caught.value.where) == ("D030", "framework.yaml:1")


def test_a_first_version_declares_nothing() -> None:
    assert load_changes(DEFAULT_FRAMEWORK) is None


@pytest.mark.parametrize("follows", ["cop-2025", NEW, "cop-2027"])
def test_a_version_follows_an_older_one_at_hand(project: Path, follows: str) -> None:
    folder = add_version(project, {})
    edit(folder / "changes.yaml", OLD, follows)
    with pytest.raises(DefinitionError) as caught:
        load_changes(NEW, project)
    assert (caught.value.code, caught.value.where) == ("D031", "changes.yaml:1")


def test_the_older_version_is_named_first(project: Path) -> None:
    add_version(project, {})
    with pytest.raises(UsageError) as caught:
        difference_between(NEW, OLD, project)
    assert caught.value.code == "U132"


MERGED = [
    (
        '    4: {label: "5 to 6 hours"}\n    5: {label: "7 hours or more"}\n',
        "    4: {label: 5 hours or more}\n",
    )
]
DECLARED = "codelists:\n  CL_NET_HOURS:\n"

UNFOUNDED = {
    "renamed from what is still there": ({}, "child:\n  rct_gift: {renamed_from: rct_met}\n", "D032", 3),
    "renamed from what never was": (
        GIFT_TO_OFFER,
        "child:\n  rct_offer: {renamed_from: rct_gfit}\n",
        "D032",
        3,
    ),
    "renamed twice": (
        {CONTACT: [("  rct_gift:\n", "  rct_offer:\n"), ("  rct_threat:\n", "  rct_force:\n")]},
        "child:\n  rct_offer: {renamed_from: rct_gift}\n  rct_force: {renamed_from: rct_gift}\n",
        "D032",
        3,
    ),
    "removed but there": ({}, "removed:\n  child:\n    rct_gift: {note: Gone}\n", "D033", 4),
    "list that is not there": ({}, "codelists:\n  CL_HOURS: {}\n", "D034", 3),
    "list renamed from one still there": ({}, "codelists:\n  CL_SEX: {renamed_from: CL_FREQ}\n", "D032", 3),
    "merged into no code": (
        {LISTS: MERGED},
        DECLARED + "    merged: [{from: [4, 5], into: 9, note: x}]\n",
        "D035",
        3,
    ),
    "merged from no code": (
        {LISTS: MERGED},
        DECLARED + "    merged: [{from: [4, 7], into: 4, note: x}]\n",
        "D035",
        3,
    ),
    "own answers forgotten": (
        {LISTS: MERGED},
        DECLARED + "    merged: [{from: [5], into: 4, note: x}]\n",
        "D035",
        3,
    ),
    "code twice": (
        {LISTS: MERGED},
        DECLARED + "    merged: [{from: [4, 5], into: 4, note: x}, {from: [5], into: 3, note: x}]\n",
        "D035",
        3,
    ),
    "added but there": ({}, DECLARED + "    added: [{code: 2, note: x}]\n", "D035", 3),
}


@pytest.mark.parametrize(("edits", "declared", "code", "line"), UNFOUNDED.values(), ids=UNFOUNDED.keys())
def test_a_declaration_must_be_borne_out(
    project: Path, edits: dict[str, list[tuple[str, str]]], declared: str, code: str, line: int
) -> None:
    add_version(project, edits, declared)
    with pytest.raises(DefinitionError) as caught:
        check_declared(OLD, NEW, project)
    error = caught.value
    assert (error.code, error.where) == (code, f"changes.yaml:{line}")
    assert all("{" not in text for text in (error.title, error.why, error.hint))


def test_a_declaration_of_another_form_is_told_with_its_line(project: Path) -> None:
    add_version(project, {}, "child:\n  rct_gift: {was: rct_met}\n")
    with pytest.raises(DefinitionError) as caught:
        load_changes(NEW, project)
    assert (caught.value.code, caught.value.where) == ("D002", "changes.yaml:3")


def test_two_steps_are_joined_into_one(project: Path) -> None:
    add_version(
        project,
        {**GIFT_TO_OFFER, LISTS: MERGED},
        "child:\n  rct_offer: {renamed_from: rct_gift, note: Wider.}\n"
        "codelists:\n  CL_NET_HOURS:\n    merged: [{from: [4, 5], into: 4, note: Few answers.}]\n",
    )
    add_version(
        project,
        {
            CONTACT: [("  rct_offer:\n", "  rct_promise:\n")],
            LISTS: [
                ("CL_NET_HOURS:\n", "CL_TIME:\n"),
                ("    4: {label: 5 hours or more}\n", "    8: {label: 5 hours or more}\n"),
            ],
            "variables/06-use.yaml": [("codelist: CL_NET_HOURS", "codelist: CL_TIME")],
            "rules.yaml": [("net_freq = 3 AND net_hours >= 4", "net_freq = 3 AND net_hours >= 8")],
        },
        "child:\n  rct_promise: {renamed_from: rct_offer, note: Clearer.}\n"
        "codelists:\n  CL_TIME:\n    renamed_from: CL_NET_HOURS\n"
        "    merged: [{from: [4], into: 8, note: Room.}]\n",
        new="cop-2026.2",
        old=NEW,
    )
    joined = changes_between(OLD, "cop-2026.2", project)
    assert joined.follows == OLD
    assert joined.renamed("child") == {"rct_promise": "rct_gift"}
    assert joined.child["rct_promise"].note == "Wider. Clearer."
    assert joined.list_before("CL_TIME") == "CL_NET_HOURS"
    assert joined.recoded("CL_TIME") == {4: (8,), 5: (8,)}
    found = difference_between(OLD, "cop-2026.2", project)
    assert [c.before for c in found.changes if c.action == "renamed"] == ["child.rct_gift", "CL_NET_HOURS"]


def test_the_number_rises_as_the_changes_ask(project: Path) -> None:
    folder = add_version(project, GIFT_TO_OFFER, "child:\n  rct_offer: {renamed_from: rct_gift}\n")
    own_indicator(project, "RCT4", "rct_gift = 1", "rct_offer = 1")
    old, new = load_framework(OLD, project), load_framework(NEW, project)
    with pytest.raises(DefinitionError) as caught:
        check_number(old, new, difference_between(OLD, NEW, project).level)
    assert caught.value.code == "D036"
    assert "1.1.0" in caught.value.title
    edit(folder / "framework.yaml", "version: 1.0.0", "version: 1.1.0")
    load_framework.cache_clear()
    check_number(old, load_framework(NEW, project), difference_between(OLD, NEW, project).level)


def test_the_versions_of_the_project_declare_what_is_so() -> None:
    for version in frameworks():
        changes = load_changes(version)
        if changes is not None:
            found = difference_between(changes.follows, version)
            check_number(found.old, found.new, found.level)
