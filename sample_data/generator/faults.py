"""Plants 30 faults in a clean submission and writes their key."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

Record = dict[str, str]
Where = Callable[[Record], bool]
LEFT_OUT = "skl_verify"
DECLARED = "med_rules"
"""Left out too, and listed under ``not_asked`` in the faulty submission's manifest."""
ADDED = "interviewer_no"
START, STEP = 30, 17
"""The first faulty record, and the least distance to the next one."""


@dataclass(frozen=True)
class Fault:
    """One fault in one cell.

    Attributes:
        rule: class of the rule that finds it, or the id of a rule written by hand.
        variable: the cell's variable, where the finding is shown unless ``shown`` says otherwise.
        value: what is written into the cell.
        explanation: for the reader of the key.
        where: which records it fits; the first one that is far enough from the last fault is taken.
        shown: variable at which the rule shows the finding.
    """

    rule: str
    variable: str
    value: str
    explanation: str
    where: Where = lambda _record: True
    shown: str = ""


def answers(**codes: str) -> Where:
    """Return a condition: the record has these answers."""
    return lambda record: all(record[name] == code for name, code in codes.items())


def user(record: Record) -> bool:
    """The child uses the internet daily."""
    return record["net_3m"] == "1" and record["net_freq"] == "1"


FAULTS = (
    Fault("blank", "own_phone", "", "the cell is empty"),
    Fault("blank", "wel_life", "", "the cell is empty"),
    Fault("unread", "net_home", "maybe", "a word where a code belongs"),
    Fault("unread", "act_game", "often", "a word where a code belongs", user),
    Fault("code_list", "sex", "5", "a code that the code list does not hold"),
    Fault("code_list", "act_social", "7", "the scale ends at 5", user),
    Fault("range", "wel_life", "12", "the ladder ends at 10"),
    Fault("range", "age", "99", "a special code that was not recoded", answers(age="15", net_3m="1")),
    Fault("age_outside_population", "age", "18", "the manifest declares ages 9 to 17", answers(age="17")),
    Fault("pattern", "adm1", "XF01", "not of the form of ISO 3166-2"),
    Fault("pattern", "int_lang", "english", "a word where a language tag belongs"),
    Fault("weight_missing", "weight", "", "no weight"),
    Fault(
        "weight_positive", "weight", "0.0000", "a weight of zero, as for interviews that were not completed"
    ),
    Fault("weight_positive", "weight", "-812.5000", "a negative weight"),
    Fault("skip_ignored", "act_game", "3", "not online, yet plays monthly", answers(net_3m="0")),
    Fault("skip_ignored", "rct_gift", "0", "asked below the age of 12", answers(net_3m="1", age="10")),
    Fault("skip_ignored", "hlp_parent", "1", "told a parent, yet told nobody", answers(hlp_told="0")),
    Fault("skip_unfounded", "rcn_hate", "-7", "online, yet skipped", user),
    Fault("skip_unfounded", "net_home", "-7", "everybody is asked, yet skipped"),
    Fault("stratum_single_psu", "stratum", "09U", "a stratum with one cluster"),
    Fault("area_mismatch", "country_iso3", "XAA", "a record of another country"),
    Fault(
        "age_first_use", "net_age1", "12", "first online at 12, now aged 10", answers(net_3m="1", age="10")
    ),
    Fault("upset_not_at_all", "hrm_intens", "1", "upset, and not upset at all", answers(hrm_upset="3")),
    Fault(
        "daily_activity_of_rare_user",
        "act_social",
        "5",
        "online less than once a week, on social media every day",
        answers(net_freq="3"),
        shown="net_freq",
    ),
)


def plant_faults(clean: Path, faulty: Path, key: Path) -> None:
    """Write the faulty submission's data files and the key.

    Args:
        clean: folder of the corrected submission.
        faulty: folder that gets ``child.csv`` and ``parent.csv``; its manifest is there already.
        key: YAML file with one entry for each finding that a check must report, and no other.
    """
    children, parents = _read(clean / "child.csv"), _read(clean / "parent.csv")
    with_parent = {parent["child_id"] for parent in parents}
    entries = [
        _entry("column_missing", "child", None, LEFT_OUT, "the column of a core variable was left out"),
        _entry("not_asked_declared", "child", None, DECLARED, "the manifest says that it was not asked"),
        _entry("unknown_column", "child", None, ADDED, "a column that the framework does not know"),
    ]
    position = START
    for fault in FAULTS:
        position = _next(children, position, fault.where)
        children[position][fault.variable] = fault.value
        entries.append(
            _entry(fault.rule, "child", position, fault.shown or fault.variable, fault.explanation)
        )
        position += STEP

    first = _next(children, position, lambda record: record["child_id"] in with_parent)
    second = _next(children, first + STEP, lambda record: record["child_id"] not in with_parent)
    children[second]["child_id"] = children[first]["child_id"]
    for place in (first, second):
        entries.append(_entry("key_unique", "child", place, "child_id", "two records have the same key"))

    parents[START]["child_id"] = "99U9999-1"
    entries.append(
        _entry("parent_without_child", "parent", START, "child_id", "no such child in the child file")
    )

    for record in children:
        del record[LEFT_OUT], record[DECLARED]
        record[ADDED] = "17"
    _write(children, faulty / "child.csv")
    _write(parents, faulty / "parent.csv")
    numbered = [{"id": f"F{number:02d}", **entry} for number, entry in enumerate(entries, start=1)]
    text = "# The findings that a check of submissions/XFF_2025_COPS_v01 must report, and no others.\n"
    key.write_text(text + yaml.safe_dump(numbered, sort_keys=False, width=110), "utf-8")


def _entry(
    rule: str, record: str, position: int | None, variable: str, explanation: str
) -> dict[str, object]:
    return {
        "rule": rule,
        "record": record,
        "record_no": None if position is None else position + 1,
        "variable": variable,
        "explanation": explanation,
    }


def _next(records: list[Record], start: int, where: Where) -> int:
    return next(i for i in range(start, len(records)) if where(records[i]))


def _read(path: Path) -> list[Record]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _write(records: list[Record], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
