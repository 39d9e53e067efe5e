from __future__ import annotations

import pytest

from copstats.errors import UsageError
from copstats.framework import load_framework
from copstats.framework.export.selection import Selection, select


def names(selection: Selection, record: str) -> list[str]:
    return [item.name for item in selection.of(record)]


def item(selection: Selection, name: str):
    return next(one for one in selection.items if one.name == name)


def test_without_modules_the_whole_framework():
    framework = load_framework()
    selection = select(framework)
    assert selection.records == ("child", "parent")
    for record in selection.records:
        assert names(selection, record) == list(framework.variables(record))
    assert list(selection.modules) == list(framework.modules)
    assert list(selection.indicators) == list(framework.indicators)
    assert list(selection.rules) == list(framework.rules.rules)


def test_keys_design_and_filters_come_along():
    selection = select(load_framework(), ["contact"])
    held = names(selection, "child")
    assert {"child_id", "stratum", "psu", "weight", "age", "sex"} <= set(held)
    assert [name for name in held if name.startswith("rct_")] == [
        "rct_unknown", "rct_met", "rct_sexask", "rct_gift", "rct_threat", "rct_imgshared",
    ]  # fmt: skip
    # Of the module `access` only the filter question of `contact`.
    assert [one.name for one in selection.modules["access"]] == ["net_3m"]
    assert selection.records == ("child",)
    assert "RCT2" in selection.indicators
    assert "ACC2" not in selection.indicators
    assert selection.rules == {}


def test_a_parent_module_brings_the_parents_keys_and_the_childs():
    selection = select(load_framework(), ["parent_help"])
    assert selection.records == ("child", "parent")
    assert {"parent_id", "child_id", "weight_parent", "p_know_line"} <= set(names(selection, "parent"))
    assert "p_talk" not in names(selection, "parent")


def test_missing_codes_follow_the_role():
    selection = select(load_framework())
    assert selection.missing_codes(item(selection, "net_3m")) == (-1, -7, -8, -9)
    assert selection.missing_codes(item(selection, "sex")) == (-8, -9)
    for name in ("weight", "child_id", "adm1", "int_ym", "fpc_psu"):
        assert selection.missing_codes(item(selection, name)) == ()


def test_indicators_of_a_variable():
    selection = select(load_framework())
    assert selection.indicators_of(item(selection, "own_phone")) == ["ACC4"]
    assert selection.indicators_of(item(selection, "p_aware_upset")) == ["MED5"]
    assert selection.indicators_of(item(selection, "hh_id")) == []


def test_an_unknown_module_is_refused():
    with pytest.raises(UsageError) as caught:
        select(load_framework(), ["contacts"])
    assert caught.value.code == "U141"
    assert "contact," in str(caught.value)
