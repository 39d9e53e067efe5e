"""Every way to break a definition ends in an error that names the file and the line."""

from __future__ import annotations

import pickle
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from copstats.errors import DefinitionError
from copstats.framework import frameworks, load_framework


class Fault(NamedTuple):
    """One line of one file replaced; ``at`` is the text on the line that the error must name."""

    file: str
    old: str
    new: str
    code: str
    at: str | None = None


CODELISTS = "schemas/cop-2026/codelists.yaml"
HEAD = "schemas/cop-2026/framework.yaml"
RULES = "schemas/cop-2026/rules.yaml"
CONTACT = "schemas/cop-2026/variables/09-contact.yaml"
HARM = "schemas/cop-2026/variables/13-harm.yaml"
RCT2 = "indicators/contact/RCT2.yaml"
SKL5 = "indicators/skills/SKL5.yaml"
MED6 = "indicators/mediation/MED6.yaml"

FAULTS = {
    "bad YAML": Fault(CODELISTS, "title: Yes or no", "title: @Yes", "D001"),
    "an alias": Fault(CODELISTS, "title: Yes or no", "title: *title", "D001"),
    "duplicate key": Fault(
        HEAD, "version: 1.0.0", "version: 1.0.0\nid: cop-2026", "D003", "id: cop-2026\ntitle"
    ),
    "duplicate code list": Fault(CODELISTS, "CL_FREQ:", "CL_YESNO:", "D003", "CL_YESNO:\n  title: Frequency"),
    "unknown key": Fault(
        CONTACT, "    codelist: CL_YESNO", "    code_list: CL_YESNO", "D002", "rct_unknown:"
    ),
    "unknown value": Fault(CONTACT, "tier: B", "tier: C", "D002"),
    "name that no column can have": Fault(CONTACT, "  rct_met:", "  Rct-met:", "D002"),
    "code that is no number": Fault(CODELISTS, '0: {label: "No"}', 'no: {label: "No"}', "D002"),
    "missing key": Fault(RCT2, "record: child\n", "", "D002", "code: RCT2"),
    "tier A of a question of tier B": Fault(RCT2, "tier: B", "tier: A", "D017"),
    "tier A of a filter of tier B": Fault(
        MED6, 'universe: "TRUE"', "universe: p_aware_upset = 1", "D017", "tier: A"
    ),
    "tier A of a member of tier B": Fault(SKL5, "SKL4", "RCN5", "D017", "tier: A"),
    "wrong type": Fault(HEAD, "maximum: 17", "maximum: many", "D002"),
    "unknown code list": Fault(CONTACT, "codelist: CL_YESNO", "codelist: CL_MAYBE", "D004"),
    "variable twice": Fault(HARM, "  hrm_type:", "  rct_met:", "D003"),
    "module twice": Fault(HARM, "module: harm", "module: contact", "D003"),
    "universe that does not parse": Fault(
        CONTACT, "universe: net_3m = 1", "universe: net_3m = 1 AND", "D005"
    ),
    "two statements": Fault(CONTACT, "universe: net_3m = 1", "universe: net_3m = 1; age > 9", "D005"),
    "unknown variable in a universe": Fault(CONTACT, "universe: net_3m = 1", "universe: net_4m = 1", "D006"),
    "text variable": Fault(CONTACT, "universe: net_3m = 1", "universe: psu = 1", "D012"),
    "function": Fault(RCT2, "numerator: rct_met = 1", "numerator: abs(rct_met) = 1", "D012"),
    "subquery": Fault(RCT2, "numerator: rct_met = 1", "numerator: rct_met IN (SELECT 1)", "D012"),
    "comparison with NULL": Fault(RCT2, "numerator: rct_met = 1", "numerator: rct_met IS NULL", "D012"),
    "missing code in a predicate": Fault(RCT2, "numerator: rct_met = 1", "numerator: rct_met = -7", "D012"),
    "unknown code in an indicator": Fault(RCT2, "numerator: rct_met = 1", "numerator: rct_met = 2", "D007"),
    "number out of range": Fault(RCT2, "net_3m = 1", "net_3m = 1 AND age > 99", "D007"),
    "unknown variable in an indicator": Fault(RCT2, "numerator: rct_met = 1", "numerator: met = 1", "D006"),
    "variable of the other record": Fault(MED6, "p_know_line = 1", "hlp_know_line = 1", "D006"),
    "circle of universes": Fault(HARM, "universe: net_3m = 1", "universe: hlp_told = 1", "D008"),
    "wrong file name": Fault(RCT2, "code: RCT2", "code: RCT9", "D009"),
    "code twice": Fault(RCT2, "code: RCT2", "code: RCT1", "D009"),
    "unknown member": Fault(SKL5, "SKL4", "SKL9", "D010"),
    "composite of itself": Fault(SKL5, "SKL4", "SKL5", "D010", "members:"),
    "numerator and members": Fault(
        SKL5, "combine: all", "combine: all\nnumerator: skl_block = 1", "D002", "code:"
    ),
    "members without combine": Fault(SKL5, "combine: all\n", "", "D002", "code:"),
    "combine without members": Fault(RCT2, "numerator:", "combine: any\nnumerator:", "D002", "code:"),
    "unknown disaggregation": Fault(MED6, "disaggregations: [total]", "disaggregations: [nation]", "D013"),
    "unknown standard": Fault(
        HEAD, "standard_disaggregations: [total", "standard_disaggregations: [nation", "D013"
    ),
    "unknown dimension": Fault(HEAD, "sex_age: [sex, age]", "sex_age: [sex, ages]", "D014"),
    "dimension without variable": Fault(HEAD, "variable: area", "variable: town", "D006"),
    "age floor not in the universe": Fault(
        CONTACT, "universe: net_3m = 1 AND age >= 12", "universe: net_3m = 1 AND age >= 13", "D015"
    ),
    "rule at an unknown variable": Fault(RULES, "    variable: net_age1", "    variable: age1", "D006"),
    "rule over an unknown variable": Fault(
        RULES, "violation: net_age1 > age", "violation: net_age1 > years", "D006"
    ),
}


@pytest.fixture
def copied(tmp_path: Path, root: Path) -> Path:
    for folder in ("schemas", "indicators"):
        shutil.copytree(root / folder, tmp_path / folder)
    return tmp_path


def failure(root: Path) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        load_framework(root=root)
    return caught.value


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_broken_definition_is_told_with_file_and_line(copied: Path, fault: Fault) -> None:
    path = copied / fault.file
    text = path.read_text("utf-8")
    assert fault.old in text
    broken = text.replace(fault.old, fault.new, 1)
    path.write_text(broken, "utf-8")
    start = broken.rindex(fault.at) if fault.at else broken.index(fault.new)
    error = failure(copied)
    assert (error.code, error.where) == (fault.code, f"{path.name}:{broken[:start].count(chr(10)) + 1}")
    for part in (str(error), error.title, error.why, error.hint):
        assert part
        assert "{" not in part


def test_an_unbroken_copy_loads(copied: Path) -> None:
    assert load_framework(root=copied).indicators.keys() == load_framework().indicators.keys()


def test_an_indicator_is_of_tier_b_until_its_file_says_otherwise(copied: Path) -> None:
    path = copied / "indicators" / "skills" / "SKL1.yaml"
    path.write_text(path.read_text("utf-8").replace("tier: A\n", ""), "utf-8")
    error = failure(copied)
    assert (error.code, error.params["sources"]) == ("D017", "SKL1"), "all four skills need SKL1"
    (copied / SKL5).unlink()
    assert load_framework(root=copied).indicators["SKL1"].definition.tier == "B"


def test_whom_a_question_is_asked_counts_for_the_tier(copied: Path) -> None:
    path = copied / "schemas" / "cop-2026" / "variables" / "12-cross-cutting.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("universe: net_3m = 1", "universe: rct_met = 1", 1), "utf-8")
    error = failure(copied)
    assert (error.code, error.params) == ("D017", {"name": "RCX1", "sources": "rct_met"})


@pytest.mark.parametrize("name", ["codelists", "rules", "administrative", "policy"])
def test_a_missing_file_is_told(copied: Path, name: str) -> None:
    (copied / "schemas" / "cop-2026" / f"{name}.yaml").unlink()
    error = failure(copied)
    assert (error.code, error.where) == ("D016", f"cop-2026/{name}.yaml")
    assert error.hint


def test_an_empty_file_is_told(copied: Path) -> None:
    (copied / RCT2).write_text("", "utf-8")
    assert (failure(copied).code, failure(copied).where) == ("D002", "RCT2.yaml:1")


@pytest.mark.parametrize("version", ["cop-1999", "", "..", "../schemas/cop-2026", "cop-2026/"])
def test_an_unknown_version_is_told(version: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_framework(version)
    assert caught.value.code == "D011"
    assert "cop-2026" in caught.value.title


def test_versions_are_folders_with_a_head(copied: Path) -> None:
    shutil.copytree(copied / "schemas" / "cop-2026", copied / "schemas" / "cop-2027")
    (copied / "schemas" / "notes").mkdir()
    assert frameworks(copied) == ["cop-2026", "cop-2027"]


def test_an_error_survives_a_process_boundary(copied: Path) -> None:
    path = copied / RCT2
    path.write_text(path.read_text("utf-8").replace("rct_met = 1", "rct_met = 2"), "utf-8")
    error = failure(copied)
    assert pickle.loads(pickle.dumps(error)).as_dict() == error.as_dict()  # noqa: S301


def test_adding_an_indicator_is_adding_one_file(copied: Path) -> None:
    text = (copied / RCT2).read_text("utf-8").replace("RCT2", "RCT8").replace("rct_met = 1", "rct_met = 0")
    (copied / "indicators" / "contact" / "RCT8.yaml").write_text(text, "utf-8")
    indicator = load_framework(root=copied).indicators["RCT8"]
    assert indicator.variables == {"net_3m", "rct_met"}


def test_a_mean_names_its_variable(copied: Path) -> None:
    text = (copied / "indicators/wellbeing/WEL1.yaml").read_text("utf-8")
    text = text.replace("WEL1", "WEL2").replace("statistic: proportion", "statistic: mean")
    text = text.replace("numerator: wel_life >= 6", "numerator: wel_life")
    (copied / "indicators/wellbeing/WEL2.yaml").write_text(text, "utf-8")
    assert load_framework(root=copied).indicators["WEL2"].variables == {"wel_life"}


def test_a_composite_needs_the_variables_of_its_members() -> None:
    indicators = load_framework().indicators
    assert indicators["SKL5"].variables == {"net_3m", "skl_privacy", "skl_block", "skl_report", "skl_verify"}
    assert indicators["RSK1"].variables >= {
        "rcn_sexual",
        "rct_unknown",
        "rcd_cybervic",
        "rcm_data",
        "rcm_scam",
    }


def test_a_framework_answers_where_a_variable_stands() -> None:
    framework = load_framework()
    assert framework.module_of("child", "rct_met").module == "contact"
    assert framework.module_of("parent", "stratum").module == "parent_design"
    assert set(framework.codes(framework.variables("child")["sex"])) == {1, 2, 3}
    assert framework.codes(framework.variables("child")["age"]) == {}
    assert (
        framework.variables("dyad").keys()
        == framework.variables("child").keys() | framework.variables("parent").keys()
    )
