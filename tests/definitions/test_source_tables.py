"""The definitions hold every entry of the tables from which the framework was agreed."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from copstats.framework import load_framework

pytestmark = pytest.mark.reference

UNIVERSES = {
    "all": None,
    "household samples": None,
    "school samples": None,
    "child uses internet": None,  # the parent's file cannot see the child's answer
    "net_3m=1": "net_3m = 1",
    "net_3m=1 (item also asked of all in school surveys)": "net_3m = 1",
    "net_3m=1, age >= 9": "net_3m = 1 AND age >= 9",
    "net_3m=1, age >= national floor (default 12)": "net_3m = 1 AND age >= 12",
    "as rct_sexask": "net_3m = 1 AND age >= 12",
    "rct_unknown=1": "rct_unknown = 1",
    "rcd_cybervic=1": "rcd_cybervic = 1",
    "hrm_upset>=2": "hrm_upset >= 2",
    "hlp_told=1": "hlp_told = 1",
    "in_school=1": "in_school = 1",
}
DENOMINATORS = {
    "all children": ("child", "TRUE", "TRUE"),
    "all children (non-users counted 0)": ("child", "TRUE", "TRUE"),
    "all parents": ("parent", "TRUE", "TRUE"),
    "net_3m=1": ("child", "net_3m = 1", "TRUE"),
    "net_3m=1 (not only those with contact)": ("child", "net_3m = 1", "TRUE"),
    "net_3m=1, age 12-17": ("child", "net_3m = 1 AND age BETWEEN 12 AND 17", "TRUE"),
    "in_school=1": ("child", "TRUE", "in_school = 1"),
    "hrm_upset>=2": ("child", "net_3m = 1", "hrm_upset >= 2"),
    "linked dyads with hrm_upset>=2": ("dyad", "net_3m = 1", "hrm_upset >= 2"),
}
COMPOSITES = {
    "SKL1-4 all 1": ("all", ["SKL1", "SKL2", "SKL3", "SKL4"]),
    "any of RCN5,RCT1,RCD1,RCM1,RCM2": ("any", ["RCN5", "RCT1", "RCD1", "RCM1", "RCM2"]),
    "rct_gift=1 or rct_threat=1 or rct_imgshared=1": ("any", ["RCT4", "RCT5", "RCT6"]),
}
TYPES = {"cat": "code", "int": "integer", "float": "number", "string": "string"}


def table(shared: Path, name: str) -> dict[str, dict[str, str]]:
    path = shared / "framework" / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"no {name}.csv")
    with path.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    key = "name" if "name" in rows[0] and "code" not in rows[0] else "code"
    return {row[key]: row for row in rows}


def squeezed(text: str | None) -> str:
    return re.sub(r"\s", "", text or "").lower()


@pytest.mark.parametrize(("record", "count"), [("child", 89), ("parent", 23)])
def test_every_variable_is_there(shared: Path, record: str, count: int) -> None:
    rows = table(shared, f"{record}_variables")
    rows = {name.split("_001")[0]: row for name, row in rows.items()}
    defined = load_framework().variables(record)
    assert len(rows) == count
    assert defined.keys() == rows.keys()
    for name, row in rows.items():
        variable = defined[name]
        month = row["codes"] == "YYYY-MM"
        assert variable.type == ("month" if month else TYPES[row["type"]]), name
        assert variable.universe == UNIVERSES[row["universe"]], name
        assert variable.status in ("required", row["status"]), name
        assert variable.skipped_elsewhere == (row["universe"] == "child uses internet"), name


@pytest.mark.parametrize("record", ["child", "parent"])
def test_every_answer_is_there(shared: Path, record: str) -> None:
    framework = load_framework()
    rows = table(shared, f"{record}_variables")
    for name, row in rows.items():
        if row["type"] != "cat":
            continue
        variable = framework.variables(record)[name]
        source = row
        if row["codes"].startswith("as "):
            source = table(shared, "child_variables")[row["codes"].removeprefix("as ")]
        stated = source["codes"]
        if "=" not in stated:
            low, high = map(int, stated.split(".."))
            assert set(framework.codes(variable)) == set(range(low, high + 1)), name
            continue
        numbers = {int(part.split("=")[0]) for part in stated.split(";")}
        assert set(framework.codes(variable)) == {n for n in numbers if n >= 0}, name
        for part in stated.split(";"):
            number, _, label = part.partition("=")
            if label and int(number) >= 0 and not re.search(r"\d", label):
                assert framework.codes(variable)[int(number)].label.lower().startswith(label.lower()), name


def test_privacy_is_that_of_the_table(shared: Path) -> None:
    classes = {
        "quasi": "quasi_identifier",
        "highly sensitive": "highly_sensitive",
        "design (recode)": "design",
    }
    for name, row in table(shared, "child_variables").items():
        variable = load_framework().variables("child")[name.split("_001")[0]]
        if row["privacy_class"] == "pseudonymise":
            assert variable.privacy == "pseudonymise", name
        else:
            assert variable.sensitivity == classes.get(row["privacy_class"], row["privacy_class"]), name


def test_every_survey_indicator_is_there(shared: Path) -> None:
    rows = table(shared, "indicators")
    expected = {code for code in rows if code[:3] not in ("ADM", "POL")}
    indicators = load_framework().indicators
    assert indicators.keys() == expected
    for code in expected:
        row, indicator = rows[code], indicators[code]
        definition = indicator.definition
        assert definition.title == row["name"], code
        assert definition.recall == row["recall"], code
        found = (definition.record, definition.universe, definition.denominator)
        assert found == DENOMINATORS[row["denominator"]], code
        if row["numerator"] in COMPOSITES:
            assert (definition.combine, definition.members) == COMPOSITES[row["numerator"]], code
        elif row["numerator"].startswith("median("):
            assert (definition.statistic, definition.unit) == ("median", "YEARS"), code
            assert f"median({definition.numerator})" == row["numerator"], code
        elif row["numerator"] == "any rcn>=3":
            parts = squeezed(definition.numerator).split("or")
            assert set(parts) == {f"rcn_{what}>=3" for what in ("selfharm", "hate", "violence", "sexual")}
        else:
            assert squeezed(definition.numerator) == squeezed(row["numerator"]), code


def test_every_administrative_variable_is_there(shared: Path) -> None:
    rows = table(shared, "admin_variables")
    defined = load_framework().administrative
    assert defined.keys() == rows.keys()
    for name, row in rows.items():
        assert defined[name].source == row["source"].replace(" ", "_"), name
        assert defined[name].type == row["type"], name
        outside_brackets = re.sub(r"\(.*?\)", "", row["required_breakdowns"])
        assert len(defined[name].breakdowns) == len(outside_brackets.split(",")), name


def test_every_policy_item_is_there(shared: Path) -> None:
    rows = table(shared, "policy_questionnaire")
    defined = load_framework().policy
    assert list(defined) == [f"Q{i:02d}" for i in range(1, 35)]
    for code, row in rows.items():
        assert (defined[code].pillar, defined[code].item) == (row["pillar"], row["item"]), code
