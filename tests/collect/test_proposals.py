from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from copstats.collect.crosswalk_checks import check_crosswalk
from copstats.collect.documents import Document
from copstats.collect.matching import load_key_words, normalised
from copstats.collect.package import Folder
from copstats.collect.proposals import Proposal, propose
from copstats.collect.proposed_crosswalk import proposed_crosswalk
from copstats.collect.readers import SourceColumn, SourceFile, read_file
from copstats.collect.submission import open_submission, read_source
from copstats.errors import DefinitionError
from copstats.framework import load_areas, load_framework
from copstats.framework.manifest import Crosswalk, DataFile

FRAMEWORK = load_framework("cop-2026")
LABELS = yaml.safe_load((Path(__file__).parent / "national_labels.yaml").read_text("utf-8"))
RECORDS = 400


def concepts(text: str) -> frozenset[str]:
    return load_key_words().concepts.found(normalised(text)).concepts


def column(
    name: str, label: str | None = None, values: dict[Any, str] | None = None, cells: Any = None
) -> tuple[SourceColumn, list[Any]]:
    cells = [float(i % 2) for i in range(RECORDS)] if cells is None else cells
    return SourceColumn(name, label, values or {}, (), ()), cells


def file(*columns: tuple[SourceColumn, list[Any]]) -> SourceFile:
    table = pa.table({one.name: cells for one, cells in columns})
    return SourceFile("file.sav", table, tuple(one for one, _ in columns), "SPSS", ".")


def proposed(*columns: tuple[SourceColumn, list[Any]]) -> dict[str, Proposal]:
    return {proposal.variable: proposal for proposal in propose(file(*columns), FRAMEWORK, "child")}


def hits(proposals: Iterable[Proposal], truth: dict[str, str]) -> tuple[float, float]:
    """Return recall and precision of the likely proposals."""
    likely = {p.variable: p.best.column for p in proposals if p.likely}
    right = sum(truth.get(name) == column for name, column in likely.items())
    return right / len(truth), right / len(likely)


class TestNormalised:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Âge de l'enfant", "age de l enfant"),
            ("ребёнка", "ребенка"),
            ("الإنترنت", "الانترنت"),
            ("مُدرسة", "مدرسه"),
        ],
    )
    def test_accents_capitals_and_variants_of_letters_are_gone(self, text: str, expected: str) -> None:
        assert normalised(text) == expected

    @pytest.mark.parametrize("name", ["netAge1", "NET_AGE1", "net.age.1", "net_age1"])
    def test_names_are_taken_apart(self, name: str) -> None:
        assert normalised(name, name=True) == "net age 1"

    @given(st.text())
    def test_doing_it_twice_changes_nothing(self, text: str) -> None:
        assert normalised(normalised(text)) == normalised(text)


class TestKeyWords:
    def test_a_word_is_found_whole_and_a_stem_in_longer_words(self) -> None:
        assert "age" in concepts("Age")
        assert "age" not in concepts("Agency, usage, page")
        assert "bullied" in concepts("were electronically bullied")

    def test_arabic_words_are_found_behind_article_and_preposition(self) -> None:
        assert concepts("الهاتف") == concepts("بالهاتف") == concepts("والهاتف") == {"phone"}

    def test_chinese_words_are_found_inside_a_sentence(self) -> None:
        assert {"online", "phone"} <= concepts("您是否使用智能手机上网")

    @pytest.mark.parametrize(
        ("old", "new", "key"),
        [
            ("rcd_cybervic: {needs: [online, bullied]}", "rcd_cybervic: {needs: [online, bulied]}", "bulied"),
            ("    rcd_cybervic: {", "    rcd_cybervictim: {", "rcd_cybervictim"),
            ('CL_YESNO: {1: "yes", 0: "no"}', 'CL_YESNO: {1: "yes", 2: "no"}', "2"),
        ],
    )
    def test_an_unknown_name_is_told_with_its_line(
        self, tmp_path: Path, root: Path, old: str, new: str, key: str
    ) -> None:
        for folder in ("schemas", "indicators"):
            shutil.copytree(root / folder, tmp_path / folder)
        path = tmp_path / "schemas" / "cop-2026" / "matching.yaml"
        text = path.read_text("utf-8")
        assert text.count(old) == 1
        path.write_text(text.replace(old, new), "utf-8")
        line = text[: text.index(old)].count("\n") + 1
        with pytest.raises(DefinitionError) as caught:
            load_key_words("cop-2026", tmp_path)
        assert (caught.value.code, caught.value.where) == ("D002", f"matching.yaml:{line}")
        assert key in caught.value.title


def test_bullying_at_school_and_sadness_are_not_bullying_online() -> None:
    yes_no = {1.0: "Yes", 2.0: "No"}
    found = proposed(
        column("Q23", "Bullying at school", yes_no),
        column("Q24", "Electronic bullying", yes_no),
        column("Q25", "Sad or hopeless", yes_no),
    )
    assert found["rcd_cybervic"].best.column == "Q24"
    assert {p.best.column for p in found.values() if p.likely} == {"Q24"}
    assert proposed(column("Q23", "Bullying at school", yes_no)).get("rcd_cybervic") is None


def test_value_labels_decide_between_columns_of_the_same_words() -> None:
    found = proposed(
        column("Q59", "Sex", {1.0: "Never had sex", 2.0: "13 years old", 3.0: "14 years old"}),
        column("Q2", "Sex", {1.0: "Female", 2.0: "Male", 9.0: "Refused"}),
    )
    assert [c.column for c in found["sex"].candidates] == ["Q2", "Q59"]
    assert found["sex"].best.recode == {1.0: 2, 2.0: 1, 9.0: -9}


def test_a_body_weight_is_not_the_analysis_weight() -> None:
    weights = [1 + i / RECORDS for i in range(RECORDS)]
    found = proposed(
        column("Q68", "Weight loss", {1.0: "Lose weight", 2.0: "Gain weight"}),
        column("poids_final", "Poids de sondage", cells=weights),
    )
    assert found["weight"].best.column == "poids_final"


def test_a_column_without_any_value_is_no_likely_candidate() -> None:
    empty: Any = pa.nulls(RECORDS, pa.float64())
    found = proposed(column("q", "Used the internet", {1.0: "Yes", 0.0: "No"}, cells=empty))
    assert not any(proposal.likely for proposal in found.values())


def test_a_label_that_the_format_cut_off_is_the_frameworks() -> None:
    label = FRAMEWORK.variables("child")["hlp_know_help"].label
    found = proposed(column("V1", label[:80]))
    assert found["hlp_know_help"].best.score >= 0.8


def test_ages_are_read_from_value_labels() -> None:
    labels = {
        1.0: "12 years old or younger",
        2.0: "13 years old",
        3.0: "14 years old or older",
        9.0: "Not sure",
    }
    assert proposed(column("Q1", "How old are you", labels))["age"].best.recode == {
        1.0: 12,
        2.0: 13,
        3.0: 14,
        9.0: -8,
    }


def test_no_two_variables_have_the_same_first_candidate() -> None:
    found = proposed(
        column("a", "Internet"), column("b", "Internet use"), column("c", "Phone"), column("d", "Age")
    )
    firsts = [proposal.best.column for proposal in found.values()]
    assert len(firsts) == len(set(firsts))


@pytest.mark.parametrize("language", ["fr", "es", "ar", "ru", "zh"])
def test_questions_in_other_languages_are_recognised(language: str) -> None:
    """Opaque names, no value labels: only the words of the label."""
    truth, columns = {}, []
    for number, (name, labels) in enumerate(LABELS.items(), start=1):
        truth[name] = f"V{number:03d}"
        design = FRAMEWORK.variables("child")[name].type == "number"
        cells = [i + 0.5 for i in range(RECORDS)] if design else [float(i % 4) for i in range(RECORDS)]
        columns.append(column(truth[name], labels[language], cells=cells))
    recall, precision = hits(propose(file(*columns), FRAMEWORK, "child"), truth)
    assert recall >= 0.85
    assert precision >= 0.93


AREAS = ("schemas/areas.csv", "sample_data/areas.csv")


def sample(root: Path, name: str, record: Any = "child") -> tuple[SourceFile, Crosswalk]:
    areas = load_areas(*(root / table for table in AREAS))
    submission = open_submission(root / "sample_data" / "submissions" / name, areas=areas)
    assert submission.crosswalk is not None
    return read_source(submission, record), submission.crosswalk


@pytest.mark.parametrize("record", ["child", "parent"])
def test_spanish_names_alone(root: Path, record: Any) -> None:
    """Columns such as P10 say nothing by name, and nothing is proposed for them."""
    source, crosswalk = sample(root, "XBB_2025_COPS_v01", record)
    truth = {
        name: mapping.source
        for name, mapping in getattr(crosswalk, record).items()
        if mapping.source is not None and not any(sign.isdigit() for sign in mapping.source)
    }
    found = propose(source, FRAMEWORK, record)
    assert {p.variable: p.best.column for p in found if p.variable in truth} == truth
    design = {"stratum": "ESTRATO", "psu": "UPM", "weight": "FACTOR", "weight_parent": "FACTOR_P"}
    assert all(design[p.variable] == p.best.column for p in found if p.variable in design)
    assert not any(p.best.column[1:3].isdigit() for p in found)


@pytest.mark.parametrize("name", ["XCC_2025_COPS_v01", "XDD_2025_COPS_v01"])
def test_labels_without_names(root: Path, name: str) -> None:
    """English labels, Arabic and English value labels; the proposed recode is the survey's own crosswalk."""
    source, crosswalk = sample(root, name)
    opaque = {one.name: f"V{number:03d}" for number, one in enumerate(source.columns)}
    renamed = SourceFile(
        source.name,
        source.table.rename_columns([opaque[column] for column in source.table.column_names]),
        tuple(SourceColumn(opaque[c.name], c.label, c.value_labels, (), ()) for c in source.columns),
        source.format,
        source.decimal,
    )
    truth = {variable: code for variable, code in opaque.items() if variable in FRAMEWORK.variables("child")}
    found = propose(renamed, FRAMEWORK, "child")
    recall, precision = hits(found, truth)
    assert recall >= 0.97
    assert precision >= 0.97
    checked = 0
    for proposal in found:
        mapping = crosswalk.child.get(proposal.variable)
        if mapping is not None and mapping.map is not None and proposal.best.recode:
            ours = {str(int(v) if isinstance(v, float) else v): c for v, c in proposal.best.recode.items()}
            theirs = {str(v): c for v, c in mapping.map.items() if str(v) in ours}
            assert {v: c for v, c in ours.items() if v in theirs} == theirs
            checked += len(theirs)
    assert checked > 100


def test_no_cells_value_is_shown() -> None:
    found = propose(
        file(
            column("name_of_child", "Child identifier", cells=[f"secret-{i}" for i in range(RECORDS)]),
            column("age", "Age", cells=[1729.0, *[12.0] * (RECORDS - 1)]),
            column("sexe", "Sexe", cells=["secret-m", *["secret-f"] * (RECORDS - 1)]),
        ),
        FRAMEWORK,
        "child",
    )
    assert found
    for text in (repr(found), proposed_crosswalk(found, FRAMEWORK)):
        assert "secret" not in text
        assert "1729" not in text
        assert str(RECORDS) not in text


def test_labels_cannot_steer_a_terminal_or_leave_their_comment() -> None:
    found = propose(
        file(column("a", "Age\x1b[31m\nchild:\n  age: {source: a}\u2028x", {1.0: "13\x07\n years"})),
        FRAMEWORK,
        "child",
    )
    text = proposed_crosswalk(found, FRAMEWORK)
    assert not {"\x1b", "\x07", "\u2028"} & set(text)
    assert Document("crosswalk.yaml", text.encode()).data == {"framework": "cop-2026"}


def uncommented(text: str) -> str:
    head, _, body = text.partition("\n\n# child:")
    return head + "\n\nchild:" + "".join(line.replace("# ", "", 1) + "\n" for line in body.splitlines())


def test_the_written_crosswalk_maps_nothing_until_uncommented_and_is_valid_then() -> None:
    found = propose(
        file(
            column("Q1", "How old are you", {1.0: "12 years old", 2.0: "13 years old"}),
            column("no", "Sex", {1.0: "Male", 2.0: "Female"}),
            column("Q 24", "Electronic bullying", {1.0: "Yes", 2.0: "No", ".a": "Don't know"}),
            column("Q30", "Used the internet in the last 3 months"),
            column("w", "Weight", cells=[i / 7 for i in range(RECORDS)]),
        ),
        FRAMEWORK,
        "child",
    )
    text = proposed_crosswalk(found, FRAMEWORK)
    assert Document("crosswalk.yaml", text.encode()).data == {"framework": "cop-2026"}
    assert "design: {weight: w}" in text
    document = Document("crosswalk.yaml", uncommented(text).encode())
    assert document.errors("crosswalk") == []
    crosswalk = msgspec.convert(document.data, Crosswalk)
    assert list(check_crosswalk(crosswalk, document, FRAMEWORK)) == []
    assert crosswalk.child["age"].map == {1: 12, 2: 13}
    assert crosswalk.child["sex"].source == "no"
    assert crosswalk.child["rcd_cybervic"].source == "Q 24"
    assert crosswalk.child["rcd_cybervic"].map == {1: 1, 2: 0, ".a": -8}
    assert crosswalk.child["net_3m"].source == "Q30"


@pytest.mark.reference
def test_yrbs_2019_without_a_crosswalk(shared: Path, root: Path) -> None:
    source = Folder(shared / "data" / "yrbs").data_file("yrbs2019.sav", "")
    found = {
        p.variable: p for p in propose(read_file(source, DataFile(path=source.name)), FRAMEWORK, "child")
    }
    firsts = {name: proposal.best.column for name, proposal in found.items()}
    wanted = {
        "age": "Q1",
        "sex": "Q2",
        "rcd_cybervic": "Q24",
        "weight": "weight",
        "stratum": "stratum",
        "psu": "psu",
    }
    assert {name: firsts.get(name) for name in wanted} == wanted
    assert not {"Q23", "QN23", "Q25", "QN25"} & set(firsts.values())
    assert {name for name, p in found.items() if p.likely} == wanted.keys()
    own = yaml.safe_load(
        (root / "sample_data/crosswalks/usa-yrbs/2019-sav/crosswalk.yaml").read_text("utf-8")
    )
    for name in ("age", "sex", "rcd_cybervic"):
        assert dict(found[name].best.recode) == own["child"][name]["map"]
