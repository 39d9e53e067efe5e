from __future__ import annotations

import re
from pathlib import Path

import pytest

from copstats.disclose.profile import load_profile, read_profile
from copstats.errors import DefinitionError
from copstats.framework.disclosure import Statement, Tier
from copstats.project import project_root

TEXT = (project_root() / "schemas" / "cop-2026" / "disclosure.yaml").read_text("utf-8")


def read(folder: Path, text: str) -> str:
    """Return code and place of the error of a profile."""
    path = folder / "disclosure.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(DefinitionError) as problem:
        read_profile(path)
    assert problem.value.why and problem.value.hint
    return f"{problem.value.code} {problem.value.where}"


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_thresholds_are_not_below_the_floor() -> None:
    """The floor that was agreed before any survey was seen; a looser profile is a decision, not an edit."""
    of = load_profile().thresholds
    assert of.minimum_n.tiers["A"] >= 25 and of.minimum_n.tiers["B"] >= 50
    assert of.minimum_events.tiers["A"] >= 5 and of.minimum_events.tiers["B"] >= 10
    assert of.minimum_psus.tiers["A"] >= 3 and of.minimum_psus.tiers["B"] >= 5
    assert of.largest_psu_share.tiers["A"] <= 0.5 and of.largest_psu_share.tiers["B"] <= 0.4
    assert of.largest_weight_share.tiers["A"] <= 0.2 and of.largest_weight_share.tiers["B"] <= 0.15
    assert of.crossed_dimensions.tiers["B"] <= 2
    assert load_profile().limits.sampling_fraction.value <= 0.2
    assert load_profile().limits.changed_records.value >= 10
    assert load_profile().limits.minimum_count.value >= 10
    for unit in load_profile().units.values():
        assert min(unit.value.steps["B"].values()) >= 1
        assert all(step >= 1 for n, step in unit.value.steps["A"].items() if n < 1000)


def test_every_rule_of_the_floor_is_in_the_profile() -> None:
    """R8 is the flag of reliability; the named profiles make a rule of it."""
    found = set(re.findall(r"rule: (R[0-9]+b?)", TEXT))
    assert found == {*(f"R{number}" for number in range(1, 16)), "R6b"}


def test_every_number_has_a_source() -> None:
    of = load_profile()
    stated: list[Statement] = [threshold for _, threshold in of.thresholds.given()]
    for part in (of.relations, of.limits):
        stated += [getattr(part, name) for name in part.__struct_fields__]
    stated += [of.n_bands, of.nonresponse_bands, *(r for u in of.units.values() for r in (u.value, u.error))]
    assert all(statement.source and statement.text for statement in stated)


@pytest.mark.parametrize(
    ("tier", "reason", "n", "width"),
    [
        ("A", "low", 400, 4),
        ("B", "high", 400, 9),
        ("A", "n", 24, 5),
        ("A", "n", 3, 3),
        ("B", "dominance", 60, 10),
        ("B", "psus", 7, 7),
        ("A", "crossing", 0, 0),
        ("A", "no_variance", 80, 5),
        ("B", "unknown", 80, 10),
        ("B", "secondary", 80, 0),
        ("B", "unreliable", 80, 0),
        ("A", "not_asked", 0, 0),
        ("A", None, 80, 0),
    ],
)
def test_widths_that_a_cell_needs(tier: Tier, reason: str | None, n: int, width: int) -> None:
    """R10: t - 1 of a coded cell, min(t, n) of another, with t of R2; nothing of what is no secret."""
    assert load_profile().required_width(tier, reason, n) == width


def test_a_framework_without_a_profile_publishes_nothing(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as problem:
        load_profile("cop-2026", tmp_path)
    assert problem.value.code == "R010"


def test_an_unknown_key_is_found_with_its_line(tmp_path: Path) -> None:
    wrong = TEXT.replace("    tiers: {A: 25, B: 50}", "    tiers: {A: 25, B: 50}\n    level: 3")
    assert read(tmp_path, wrong) == f"D002 disclosure.yaml:{line_of(wrong, 'minimum_n:')}"


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("{A: 25, B: 50}", "{A: 25}", "R011", "tiers: {A: 25}"),
        ("A: {0: 1, 1000: 0.1}", "A: {1000: 0.1}", "R011", "A: {1000: 0.1}"),
        ("A: {0: 1, 1000: 0.1}", "A: {0: 1, 1000: 0.3}", "R012", "A: {0: 1, 1000: 0.3}"),
        ("{A: 25, B: 50}", "{A: 9, B: 50}", "R013", "minimum_n:"),
        ("low: {rule", "lower: {rule", "R014", "reasons:"),
        ("  secondary:", "  complementary:", "R014", "reasons:"),
        ("    value: 0.2\n", "", "D002", "sampling_fraction:"),
        ("    value: 0.2\n", "    value: 0\n", "D002", "value: 0"),
        ("code: 25-49, from: 25", "code: 25-49, from: 26", "R015", "bands:"),
        ("{code: 40-100, to: 1,", "{code: 40-100, to: 0.9,", "R015", "bands:"),
        ("code: 50-99, from: 50", "code: 50-99, from: 20", "R015", "bands:"),
    ],
)
def test_an_unsafe_profile_is_refused(tmp_path: Path, old: str, new: str, code: str, at: str) -> None:
    wrong = TEXT.replace(old, new)
    assert wrong != TEXT
    found = read(tmp_path, wrong)
    assert re.fullmatch(rf"{code} disclosure\.yaml:[0-9]+", found)
    lines = wrong.splitlines()
    line = int(found.rpartition(":")[2])
    assert any(at in lines[i] for i in range(line - 1, min(line + 1, len(lines))))
