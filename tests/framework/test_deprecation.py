"""An indicator that should no longer be used says since when, why, and what to use instead."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from copstats.disclose import load_profile
from copstats.disseminate.content import content
from copstats.errors import DefinitionError
from copstats.framework import load_framework
from copstats.framework.comparison import compare
from copstats.framework.versions import Changes

NOTE = "Only half of the surveys ask it."


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    for name in ("schemas", "indicators"):
        shutil.copytree(root / name, tmp_path / name)
    return tmp_path


def deprecate(copy: Path, code: str, replaced_by: str, since: str = "2027-Q1") -> Path:
    (path,) = (copy / "indicators").rglob(f"{code}.yaml")
    entry = f'deprecated: {{since: {since}, replaced_by: {replaced_by}, note: "{NOTE}"}}\n'
    path.write_text(path.read_text("utf-8") + entry, "utf-8")
    return path


def test_it_is_published_with_the_indicator(copy: Path) -> None:
    deprecate(copy, "RCD2", "RCD1")
    deprecate(copy, "RCD3", "null")
    framework = load_framework("cop-2026", copy)
    tables = content(framework, load_profile(), {}, [])
    rows = {row["indicator"]: row for row in tables["indicator"].to_pylist()}
    names = ("deprecated_since", "replaced_by", "deprecation_reason")
    assert [rows["RCD2"][name] for name in names] == ["2027-Q1", "RCD1", NOTE]
    assert [rows["RCD3"][name] for name in names] == ["2027-Q1", None, NOTE]
    assert [rows["RCD1"][name] for name in names] == [None, None, None]
    kinds = {(row["kind"], row["code"]): row["text"] for row in tables["label"].to_pylist()}
    assert kinds["deprecation_reason", "RCD2"] == NOTE


def test_values_stay_comparable(copy: Path) -> None:
    deprecate(copy, "RCD2", "RCD1")
    old, new = load_framework("cop-2026"), load_framework("cop-2026", copy)
    (found,) = compare(old, new, Changes(follows="cop-2026"))
    assert (found.name, found.part, found.consequence.level) == ("RCD2", "deprecated", "patch")


@pytest.mark.parametrize("replacement", ["RCD9", "RCD2", "RCD3"], ids=["unknown", "itself", "deprecated"])
def test_the_replacement_is_in_use(copy: Path, replacement: str) -> None:
    deprecate(copy, "RCD3", "null")
    path = deprecate(copy, "RCD2", replacement)
    with pytest.raises(DefinitionError) as caught:
        load_framework("cop-2026", copy)
    assert caught.value.code == "D018"
    assert caught.value.where.endswith(f"RCD2.yaml:{path.read_text('utf-8').count(chr(10))}")


def test_since_names_a_quarter(copy: Path) -> None:
    deprecate(copy, "RCD2", "RCD1", since="2027-03-01")
    with pytest.raises(DefinitionError) as caught:
        load_framework("cop-2026", copy)
    assert caught.value.code == "D002"
