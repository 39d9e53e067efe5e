"""The codebook against the official schemas of DDI-Codebook, and read back with lxml."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from copstats.errors import UsageError
from copstats.framework import load_framework
from copstats.framework.export.ddi import codebook_document, write_ddi
from copstats.framework.export.questionnaire import questionnaire_of
from copstats.framework.export.selection import select
from copstats.language import LANGUAGES, Translations, translations
from tests.framework.export.pseudo import SIGNS, pseudo

FRAMEWORK = load_framework()
NS = {"d": "ddi:codebook:2_5"}
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

# Order of the parts of an element, from the field-level documentation of DDI-Codebook 2.5.
ORDER = {
    "codeBook": ["docDscr", "stdyDscr", "fileDscr", "dataDscr"],
    "docDscr": ["citation", "docStatus", "notes"],
    "citation": ["titlStmt", "prodStmt", "verStmt"],
    "titlStmt": ["titl", "parTitl", "IDNo"],
    "prodStmt": ["prodDate", "software"],
    "stdyDscr": ["citation", "stdyInfo"],
    "stdyInfo": ["abstract", "sumDscr"],
    "sumDscr": ["anlyUnit", "universe"],
    "fileTxt": ["fileName", "dimensns"],
    "dataDscr": ["varGrp", "var"],
    "var": [
        *("labl", "qstn", "valrng", "invalrng", "universe", "txt", "catgry", "concept", "varFormat", "notes"),
    ],
    "catgry": ["catValu", "labl"],
}


@pytest.fixture(scope="module")
def codebook() -> Any:
    """The codebook in which every text is translated, by signs that formats tend to break."""
    return etree.fromstring(codebook_document(select(FRAMEWORK), pseudo()))


def variable(codebook: Any, record: str, name: str) -> Any:
    (found,) = codebook.xpath(f"//d:var[@files='F_{record}'][@name='{name}']", namespaces=NS)
    return found


def texts(element: Any, path: str) -> dict[str, str]:
    found = element.xpath(path, namespaces=NS)
    by_language = {e.get(LANG): e.text for e in found}
    assert len(by_language) == len(found)
    return by_language


@pytest.fixture
def ddi_schemas(request: pytest.FixtureRequest) -> Path:
    """The folder of the official schemas; nobody packages them."""
    named = os.environ.get("COPSTATS_DDI_SCHEMAS")
    folder = Path(named) if named else request.getfixturevalue("shared") / "reference" / "ddi"
    if not folder.is_dir():
        pytest.skip("no DDI schemas: docs/metadata-exports.md says where they come from")
    return folder


@pytest.mark.reference
@pytest.mark.parametrize("version", ["2.5", "2.6"])
@pytest.mark.parametrize("languages", [("en",), tuple(LANGUAGES), ("ar", "fr", "en")])
def test_the_codebook_follows_the_official_schema(
    ddi_schemas: Path, version: Any, languages: tuple[str, ...]
) -> None:
    schema = etree.XMLSchema(etree.parse(str(ddi_schemas / version / "codebook.xsd")))
    content = codebook_document(select(FRAMEWORK), pseudo(*languages), version=version)
    assert schema.validate(etree.fromstring(content)), schema.error_log


def test_parts_stand_in_the_order_of_the_schema(codebook: Any) -> None:
    for element in codebook.iter():
        tag = etree.QName(element).localname
        parts = [etree.QName(child).localname for child in element]
        if tag in ORDER:
            ranks = [ORDER[tag].index(part) for part in parts]
            assert ranks == sorted(ranks), tag


def test_identifiers_are_unique_and_references_lead_to_them(codebook: Any) -> None:
    ids = codebook.xpath("//@ID")
    assert len(ids) == len(set(ids))
    references = codebook.xpath("//d:varGrp/@var | //@files | //d:backward/@qstn", namespaces=NS)
    used = {one for reference in references for one in reference.split()}
    assert used
    assert used <= set(ids)


@pytest.mark.parametrize("record", ["child", "parent"])
def test_variables_stand_in_questionnaire_order_with_label_and_definition(codebook: Any, record: str) -> None:
    found = codebook.xpath(f"//d:var[@files='F_{record}']", namespaces=NS)
    assert [v.get("name") for v in found] == list(FRAMEWORK.variables(record))
    for entry in found:
        defined = FRAMEWORK.variables(record)[entry.get("name")]
        assert texts(entry, "d:labl")["en"] == defined.label
        assert texts(entry, "d:txt")["en"] == defined.definition
        assert texts(entry, "d:concept")["en"] == FRAMEWORK.module_of(record, entry.get("name")).title


def test_a_variable_of_tier_b_is_described_in_all_languages(codebook: Any) -> None:
    entry = variable(codebook, "child", "rct_sexask")
    labels = texts(entry, "d:labl")
    assert list(labels) == ["ar", "en", "es", "fr", "ru", "zh"]
    assert (
        labels["ar"] == f"{SIGNS['ar']} CONTACT: received an unwanted request for sexual talk, act or image"
    )
    assert labels["fr"].startswith("l'été \"<&> CONTACT")
    asked = questionnaire_of(FRAMEWORK).child.questions["rct_sexask"]
    assert texts(entry, "d:qstn/d:qstnLit")["en"] == asked.text
    assert texts(entry, "d:qstn/d:qstnLit")["zh"] == f"儿童 {asked.text}"
    assert entry.xpath("d:qstn/d:backward/@qstn", namespaces=NS) == ["Q_child_age Q_child_net_3m"]
    assert "12 or more" in texts(entry, "d:universe")["en"]
    answers = {
        c.findtext("d:catValu", namespaces=NS): (c.get("missing"), texts(c, "d:labl")["en"])
        for c in entry.findall("d:catgry", NS)
    }
    assert answers == {
        "1": (None, "Never"),
        "2": (None, "At least once but less than monthly"),
        "3": (None, "Monthly (1-3 times a month)"),
        "4": (None, "Weekly"),
        "5": (None, "Daily or almost daily"),
        "-1": ("Y", "Not asked"),
        "-7": ("Y", "Not applicable"),
        "-8": ("Y", "Does not know"),
        "-9": ("Y", "Prefers not to say"),
    }
    assert entry.xpath("d:invalrng/d:item/@VALUE", namespaces=NS) == ["-1", "-7", "-8", "-9"]
    notes = {n.get("type"): n.text for n in entry.findall("d:notes", NS) if n.get("type") != "recall"}
    assert notes["universe"] == "net_3m = 1 AND age >= 12"
    assert (notes["tier"], notes["minimum_age"], notes["privacy"]) == ("B", "12", "keep")
    assert texts(entry, "d:notes[@type='recall']")["ru"] == "ёж 12 months"


def test_a_number_has_its_range_and_the_missing_codes_that_it_may_take(codebook: Any) -> None:
    entry = variable(codebook, "child", "age")
    (limits,) = entry.findall("d:valrng/d:range", NS)
    assert dict(limits.attrib) == {"min": "5", "max": "24"}
    assert entry.xpath("d:catgry/d:catValu/text()", namespaces=NS) == ["-8", "-9"]
    assert entry.get("intrvl") == "contin"


def test_keys_and_weights_are_no_questions_and_take_no_missing_code(codebook: Any) -> None:
    for name in ("child_id", "stratum", "weight"):
        entry = variable(codebook, "child", name)
        assert entry.find("d:qstn", NS) is None
        assert entry.find("d:catgry", NS) is None
    assert codebook.xpath("//d:var[@wgt='wgt']/@name", namespaces=NS) == ["weight", "repw", "weight_parent"]


def test_the_head_says_what_the_framework_is(codebook: Any) -> None:
    assert codebook.findtext("d:docDscr/d:docStatus", namespaces=NS).startswith(f"{SIGNS['ar']} DRAFT.")
    assert texts(codebook, "d:docDscr/d:docStatus")["en"] == questionnaire_of(FRAMEWORK).draft.text
    assert texts(codebook, "d:stdyDscr/d:stdyInfo/d:abstract")["en"] == FRAMEWORK.head.notice
    assert codebook.findtext("d:stdyDscr/d:citation/d:titlStmt/d:IDNo", namespaces=NS) == "cop-2026"
    counts = codebook.xpath("d:fileDscr/d:fileTxt/d:dimensns/d:varQnty/text()", namespaces=NS)
    assert counts == [str(len(FRAMEWORK.variables(record))) for record in ("child", "parent")]


def test_a_text_without_translation_is_left_out() -> None:
    words = [*pseudo("en"), Translations("fr")]
    codebook = etree.fromstring(codebook_document(select(FRAMEWORK), words))
    assert set(codebook.xpath("//d:dataDscr//@xml:lang", namespaces=NS)) == {"en"}


def test_unreviewed_translations_are_announced(tmp_path: Path) -> None:
    """The catalogues of the project hold drafts until people have reviewed them."""
    (path,) = write_ddi(FRAMEWORK, tmp_path)
    codebook = etree.parse(str(path)).getroot()
    expected = {code: n for code in LANGUAGES if (n := translations(code, FRAMEWORK.id).notice) is not None}
    assert texts(codebook, "d:docDscr/d:notes[@type='translation']") == expected


def test_the_language_asked_for_leads(tmp_path: Path) -> None:
    (path,) = write_ddi(FRAMEWORK, tmp_path, language="ru")
    assert etree.parse(str(path)).getroot().get(LANG) == "ru"
    words = pseudo("ru", "en")
    codebook = etree.fromstring(codebook_document(select(FRAMEWORK), words))
    titles = codebook.find("d:docDscr/d:citation/d:titlStmt", NS)
    assert [(t.get(LANG), t.text) for t in titles[:2]] == [
        ("ru", f"ёж {FRAMEWORK.head.title}"),
        ("en", FRAMEWORK.head.title),
    ]
    with pytest.raises(UsageError):
        write_ddi(FRAMEWORK, tmp_path, language="xx")


def test_modules_choose_the_variables(tmp_path: Path) -> None:
    (path,) = write_ddi(FRAMEWORK, tmp_path, modules=["contact"])
    codebook = etree.parse(str(path)).getroot()
    found = set(codebook.xpath("//d:var/@name", namespaces=NS))
    assert {"rct_met", "age", "weight", "net_3m"} <= found
    assert not found & {"rcd_cybervic", "weight_parent"}
    with pytest.raises(UsageError) as caught:
        write_ddi(FRAMEWORK, tmp_path, modules=["contacts"])
    assert caught.value.code == "U141"


def test_the_same_framework_gives_the_same_bytes(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from copstats.framework import load_framework;"
        "from copstats.framework.export.ddi import write_ddi;"
        "write_ddi(load_framework(), Path(sys.argv[1]))"
    )
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        subprocess.run([sys.executable, "-c", program, str(tmp_path / seed)], check=True, env=environment)
    first, second = (tmp_path / seed / "cop-2026-ddi.xml" for seed in ("1", "2"))
    assert first.read_bytes() == second.read_bytes()
