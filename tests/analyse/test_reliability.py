from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from copstats.analyse.reliability import (
    assess_reliability,
    load_standard,
    load_standards,
    reliability_flags,
)
from copstats.errors import DefinitionError

GOOD = {
    "proportion": True,
    "estimate": 0.30,
    "se": 0.02,
    "n": 600,
    "events": 180,
    "df": 40,
    "n_effective": 500.0,
    "kg_lower": 0.26,
    "kg_upper": 0.34,
}


def flag(**change: Any) -> str | None:
    (found,) = reliability_flags(pa.Table.from_pylist([GOOD | change]), load_standard())
    return found


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "reliable"),
        ({"n": 29}, "unreliable"),
        ({"n": 30, "events": 9, "n_effective": 30.0}, "reliable"),
        ({"n_effective": 29.9}, "unreliable"),
        ({"kg_lower": 0.15, "kg_upper": 0.45}, "unreliable"),
        ({"kg_lower": 0.16, "kg_upper": 0.45}, "reliable"),
        # 0.06 wide, 1.5 times the estimate; 0.05 wide is precise enough for any estimate.
        ({"estimate": 0.04, "kg_lower": 0.02, "kg_upper": 0.08}, "unreliable"),
        ({"estimate": 0.04, "kg_lower": 0.03, "kg_upper": 0.08}, "reliable"),
        ({"df": 7}, "review"),
        ({"df": 8}, "reliable"),
        ({"events": 0, "estimate": 0.0, "kg_lower": 0.0, "kg_upper": 0.01}, "review"),
        ({"events": 600, "estimate": 1.0, "kg_lower": 0.99, "kg_upper": 1.0}, "review"),
        ({"kg_lower": None, "kg_upper": None, "n_effective": None, "df": 0}, "unreliable"),
        ({"estimate": None, "n": 0, "events": 0, "df": None}, None),
    ],
)
def test_proportions(change: dict[str, Any], expected: str | None) -> None:
    assert flag(**change) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "reliable"),
        ({"n": 29}, "unreliable"),
        ({"n": 59}, "review"),
        ({"se": 0.6}, "review"),
        ({"df": 7}, "review"),
        ({"se": None}, "unreliable"),
    ],
)
def test_means(change: dict[str, Any], expected: str) -> None:
    mean = {"proportion": False, "estimate": 2.0, "se": 0.1, "n": 60, "kg_lower": None, "kg_upper": None}
    assert flag(**(mean | change)) == expected


@pytest.mark.parametrize(
    ("name", "change", "expected"),
    [
        ("dhs", {"n": 24}, ("unreliable", "few_answers")),
        ("dhs", {"n": 25}, ("review", "few_answers")),
        ("dhs", {"n": 49}, ("review", "few_answers")),
        ("dhs", {"n": 50}, ("reliable", None)),
        ("statcan", {"n": 9}, ("unreliable", "few_answers")),
        ("statcan", {"estimate": 0.10, "se": 0.0165}, ("reliable", None)),
        ("statcan", {"estimate": 0.10, "se": 0.0166}, ("review", "large_relative_error")),
        ("statcan", {"estimate": 0.10, "se": 0.0334}, ("unreliable", "large_relative_error")),
        ("statcan", {"estimate": 0.0, "se": 0.0, "events": 0}, ("unreliable", "no_standard_error")),
        ("eurostat_lfs", {"nonresponse": 0.31}, ("unreliable", "item_nonresponse")),
        ("eurostat_lfs", {"nonresponse": 0.10}, ("review", "item_nonresponse")),
        ("eurostat_lfs", {"nonresponse": 0.09}, ("reliable", None)),
        ("gshs", {"n": 100}, ("unreliable", "few_answers")),
        ("gshs", {"n": 101}, ("reliable", None)),
        ("gshs", {"n": 41, "records": 999}, ("reliable", None)),
        ("gshs", {"n": 21, "records": 499}, ("reliable", None)),
        ("gshs", {"n": 20, "records": 499}, ("unreliable", "few_answers")),
        ("nsch", {"ci_lower": 0.25, "ci_upper": 0.35}, ("reliable", None)),
        ("nsch", {"ci_lower": 0.19, "ci_upper": 0.40}, ("review", "wide_interval")),
        ("nchs", {"df": 7, "events": 0}, ("review", "few_degrees_of_freedom")),
        ("nchs", {"estimate": None}, (None, None)),
    ],
)
def test_sets_of_rules(name: str, change: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    found = assess_reliability(pa.Table.from_pylist([GOOD | change]), load_standard(name=name))
    assert (found["status"][0].as_py(), found["reason"][0].as_py()) == expected


def test_every_set_names_its_source() -> None:
    standards = load_standards()
    assert standards.default == "nchs"
    assert all(standard.source and standard.title for standard in standards.sets.values())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [("when: n < 30", "when: n below 30", "E075"), ("default: nchs", "default: none", "E074")],
)
def test_rules_that_cannot_be_read_are_refused(
    root: Path, tmp_path: Path, old: str, new: str, code: str
) -> None:
    folder = tmp_path / "schemas" / "cop-2026"
    folder.mkdir(parents=True)
    text = (root / "schemas" / "cop-2026" / "reliability.yaml").read_text("utf-8")
    (folder / "reliability.yaml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(DefinitionError) as refused:
        load_standards(root=tmp_path)
    assert refused.value.code == code


def test_an_unknown_set_is_refused() -> None:
    with pytest.raises(DefinitionError) as refused:
        load_standard(name="nobody")
    assert refused.value.code == "E074"
