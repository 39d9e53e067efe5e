"""The questionnaire: compiled by pyxform, accepted by ODK Validate, and answered."""

from __future__ import annotations

import csv
import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path
from random import Random
from statistics import mean

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pyxform.validators.odk_validate import ODK_VALIDATE_PATH
from pyxform.xls2xform import convert

from copstats.errors import DefinitionError, UsageError
from copstats.framework import load_framework
from copstats.framework.export import xlsform
from copstats.framework.export.questionnaire import load_questionnaire, place_of, questionnaire_of
from copstats.framework.export.xlsform import write_xlsform
from copstats.framework.expressions import Rendering, skip_columns
from copstats.framework.translation import framework_messages
from copstats.language import LANGUAGES
from copstats.steps import check
from copstats.store.engine import memory_connection
from tests.framework.export.pseudo import pseudo
from tests.framework.export.xform import FILLED_IN, Interview, fill_in, rows

FRAMEWORK = load_framework()
MODULES = {
    record: [name for name, module in FRAMEWORK.modules.items() if module.record == record]
    for record in ("child", "parent")
}
java = pytest.mark.skipif(shutil.which("java") is None, reason="ODK Validate needs Java")
compiler = pytest.mark.skipif(shutil.which("javac") is None, reason="JavaRosa is driven by a Java program")


@pytest.fixture(scope="session")
def forms(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    paths = write_xlsform(FRAMEWORK, tmp_path_factory.mktemp("forms"))
    return dict(zip(("child", "parent"), paths, strict=True))


@pytest.fixture(scope="session")
def child(forms: dict[str, Path]) -> Interview:
    return Interview(fill_in(forms["child"]))


@pytest.fixture(scope="session")
def parent(forms: dict[str, Path]) -> Interview:
    return Interview(fill_in(forms["parent"]))


def by_name(path: Path) -> dict[str, dict[str, str]]:
    return {row["name"]: row for row in rows(path)}


# --- other tools read it ------------------------------------------------------------------------------------


@java
@pytest.mark.parametrize("language", LANGUAGES)
def test_odk_validate_accepts_every_language(tmp_path: Path, language: str) -> None:
    for path in write_xlsform(FRAMEWORK, tmp_path, language=language):
        assert convert(str(path), validate=True).warnings == []


@pytest.mark.parametrize("module", FRAMEWORK.modules)
def test_pyxform_compiles_every_module_by_itself(tmp_path: Path, module: str) -> None:
    (path,) = write_xlsform(FRAMEWORK, tmp_path, modules=[module])
    assert path.name == f"{FRAMEWORK.modules[module].record}-xlsform.xlsx"
    assert convert(str(path), validate=False).warnings == []


@settings(max_examples=8, deadline=None)
@given(modules=st.sets(st.sampled_from(list(FRAMEWORK.modules)), min_size=1))
@java
def test_odk_validate_accepts_any_choice_of_modules(
    tmp_path_factory: pytest.TempPathFactory, modules: set[str]
) -> None:
    for path in write_xlsform(FRAMEWORK, tmp_path_factory.mktemp("subset"), modules=sorted(modules)):
        assert convert(str(path), validate=True).warnings == []


def test_a_form_opens_in_the_language_asked_for_and_holds_english_too(tmp_path: Path) -> None:
    for path in write_xlsform(FRAMEWORK, tmp_path, language="fr"):
        (head,) = rows(path, "settings")
        assert head["default_language"] == "Français (fr)"
        assert (head["form_id"], head["version"]) == (
            f"cop-2026-{path.name.removesuffix('-xlsform.xlsx')}",
            FRAMEWORK.head.version,
        )
        for sheet in ("survey", "choices"):
            assert {"label::English (en)", "label::Français (fr)"} <= set(rows(path, sheet)[0])
        compiled = convert(str(path), validate=False).xform
        assert re.findall(r'<translation lang="(.+?)"( default="true\(\)")?>', compiled) == [
            ("English (en)", ""),
            ("Français (fr)", ' default="true()"'),
        ]


def test_a_subset_asks_the_filters_of_its_questions_and_nothing_else(tmp_path: Path) -> None:
    (path,) = write_xlsform(FRAMEWORK, tmp_path, modules=["help"])
    asked = {name.removeprefix("q_") for name in by_name(path) if name.startswith("q_")}
    of_module = set(FRAMEWORK.modules["help"].variables)
    always = {
        name
        for module in FRAMEWORK.modules.values()
        if module.record == "child" and (module.always or module.module == "interview")
        for name in module.variables
    }
    assert asked - of_module - always == {"net_3m", "hrm_upset"}
    assert of_module <= asked


def test_the_same_call_gives_the_same_bytes_and_no_form_in_use_is_lost(tmp_path: Path) -> None:
    first, again = (write_xlsform(FRAMEWORK, tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert write_xlsform(FRAMEWORK, tmp_path / "a") == first
    fill_in(first[0]).replace(first[0])
    with pytest.raises(UsageError) as raised:
        write_xlsform(FRAMEWORK, tmp_path / "a")
    assert raised.value.code == "U142"


@pytest.mark.parametrize(
    ("arguments", "code"), [({"modules": ["helpp"]}, "U141"), ({"language": "xx"}, "U120")]
)
def test_unknown_names_are_told(tmp_path: Path, arguments: dict[str, list[str]], code: str) -> None:
    with pytest.raises(UsageError) as raised:
        write_xlsform(FRAMEWORK, tmp_path, **arguments)  # type: ignore[arg-type]
    assert raised.value.code == code
    assert list(tmp_path.iterdir()) == []


# --- languages ----------------------------------------------------------------------------------------------


def test_every_text_of_a_form_can_be_translated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {message.msgid for message in framework_messages()}
    for path in write_xlsform(FRAMEWORK, tmp_path):
        texts = [
            value
            for sheet in ("survey", "choices", "read_me")
            for row in rows(path, sheet)
            for column, value in row.items()
            if column.endswith("English (en)") and re.search("[A-Za-z]{2}", value)
        ]
        shown = {re.sub(r"\$\{set_(\w+)\}", r"{\1}", text) for text in texts}
        shown = {re.sub(r"from 5 to 24", "from {minimum} to {maximum}", text) for text in shown}
        assert shown <= known


def test_english_is_marked_where_a_translation_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {w.language: w for w in pseudo("en", "ar")}
    complete = write_xlsform_with(monkeypatch, words, tmp_path / "complete", "ar")
    for row in [*rows(complete), *rows(complete, "choices")]:
        english, arabic = row["label::English (en)"], row["label::العربية (ar)"]
        assert bool(english) == bool(arabic)
        assert "[en]" not in arabic
        # Full stops stay at the left end of an Arabic sentence, wherever it is shown.
        assert not arabic or (arabic[0], arabic[-1]) == ("\u200f", "\u200f")
    words["ar"] = type(words["ar"])("ar")
    empty = write_xlsform_with(monkeypatch, words, tmp_path / "empty", "ar")
    labels = [row["label::العربية (ar)"] for row in rows(empty)]
    assert [label for label in labels if label and not label.startswith("\u200e[en] ")] == []


def write_xlsform_with(
    monkeypatch: pytest.MonkeyPatch, words: dict[str, object], folder: Path, language: str
) -> Path:
    monkeypatch.setattr(xlsform, "translations", lambda code, _: words[code])
    return write_xlsform(FRAMEWORK, folder, language=language)[0]


def test_what_the_country_fills_in_keeps_its_order_in_arabic(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = {w.language: w for w in pseudo("en", "ar")}
    path = write_xlsform_with(monkeypatch, words, tmp_path, "ar")
    label = by_name(path)["q_hlp_know_line"]["label::العربية (ar)"]
    assert "\u2068${set_helpline_number}\u2069" in label


# --- it can be put to a child ------------------------------------------------------------------------------


def test_a_draft_says_so_first_and_in_its_settings(forms: dict[str, Path]) -> None:
    notice = "DRAFT. Not cognitively tested. Not for fieldwork before an ethics review."
    for path in forms.values():
        first = rows(path)[0]
        assert (first["type"], first["label::English (en)"]) == ("note", notice)
        (head,) = rows(path, "settings")
        assert head["notice"] == notice
        assert head["form_title"].startswith("DRAFT, not for fieldwork before an ethics review: ")


RECALL = {
    "12 months": r"last 12 months",
    "3 months": r"last 3 months",
    "usual": r"\busual(ly)?\b|\bmost\b",
    "ever": r"\bever\b",
    "lifetime": r"in your life",
    "now": r"",
}


@pytest.mark.parametrize("record", ["child", "parent"])
def test_a_question_says_its_recall_period(record: str) -> None:
    form = questionnaire_of(FRAMEWORK).form(record)  # type: ignore[arg-type]
    for name, variable in FRAMEWORK.variables(record).items():
        if variable.recall and name != "p_info_source":
            assert re.search(RECALL[variable.recall], form.questions[name].text or ""), name
        if variable.recall == "now":
            assert not re.search(r"month|usual|\bever\b", form.questions[name].text or ""), name


def grade(text: str) -> float:
    """Flesch-Kincaid grade level (Kincaid et al., 1975); syllables by groups of vowels."""
    words = re.findall(r"[A-Za-z]+", re.sub(r"\{\w+\}", "", text))
    sentences = max(1, len(re.findall(r"[.?!](?:\s|$)", text)))
    syllables = sum(
        max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<=[^l])e$|(?<=[^td])ed$", "", word.lower()))))
        for word in words
    )
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def test_children_can_read_it() -> None:
    form = questionnaire_of(FRAMEWORK).child
    texts = {
        name: question.text
        for name, question in form.questions.items()
        if question.text and question.place in (None, "introduction")
    }
    texts |= {f"{name}, hint": q.hint for name, q in form.questions.items() if q.hint and q.place is None}
    texts |= {f"closing {n}": note.text for n, note in enumerate(form.closing.notes)}
    texts |= {f"introduction {n}": note.text for n, note in enumerate(form.introduction.notes)}
    texts |= {f"note of {name}": section.note for name, section in form.sections.items() if section.note}
    grades = {name: grade(text) for name, text in texts.items()}
    assert mean(grades.values()) < 5
    # The measure is made for whole pages: one word of three syllables lifts a short sentence by a year.
    assert {name: round(value, 1) for name, value in grades.items() if value >= 8} == {}


def test_no_question_is_asked_in_words_of_a_table() -> None:
    for record in ("child", "parent"):
        form = questionnaire_of(FRAMEWORK).form(record)  # type: ignore[arg-type]
        for name, variable in FRAMEWORK.variables(record).items():
            if place_of(variable, form.questions.get(name)) == "module":
                text = form.questions[name].text or ""
                assert "?" in text, name
                assert text != variable.label


def test_every_answer_can_be_refused_and_every_sensitive_question_ends_the_interview_on_demand(
    forms: dict[str, Path], child: Interview, parent: Interview
) -> None:
    for record, interview in (("child", child), ("parent", parent)):
        form = questionnaire_of(FRAMEWORK).form(record)  # type: ignore[arg-type]
        for name, variable in FRAMEWORK.variables(record).items():
            if place_of(variable, form.questions.get(name)) != "module" or name == "age":
                continue
            assert interview.choices[f"q_{name}"][-3:] == ["-8", "-9", "stop"], name
            codes = {int(code) for code in interview.choices[f"q_{name}"][:-3]}
            if variable.codelist:
                assert codes == set(FRAMEWORK.codes(variable)), name


def test_no_interview_starts_before_the_helpline_was_checked(forms: dict[str, Path]) -> None:
    for missing in ("set_helpline_number", "set_helpline_checked", "set_ethics_review"):
        values = {name: value for name, value in FILLED_IN.items() if name != missing}
        interview = Interview(fill_in(forms["child"], values))
        interview.answer(consenting())
        assert interview.shown("not_ready"), missing
        assert not interview.shown("q_child_id"), missing
        assert not interview.shown("q_age"), missing
    ready = Interview(fill_in(forms["child"]))
    ready.answer(consenting())
    assert not ready.shown("not_ready")
    assert ready.shown("q_age")


def test_every_error_rule_that_a_form_can_judge_is_a_constraint(forms: dict[str, Path]) -> None:
    names = {name: row for path in forms.values() for name, row in by_name(path).items()}
    for rule_id, rule in FRAMEWORK.rules.rules.items():
        asked = [f"q_{variable}" for variable in FRAMEWORK.violations[rule_id].variables]
        if rule.severity == "error" and all(name in names for name in asked):
            assert any("not(" in names[name]["constraint"] for name in asked), rule_id


# --- interviews ---------------------------------------------------------------------------------------------


def consenting(**answers: str) -> dict[str, str]:
    fixed = {
        "q_child_id": "17-3",
        "q_stratum": "north",
        "q_psu": "17",
        "q_int_mode": "2",
        "q_int_lang": "en",
        "q_consent_parent": "1",
        "q_assent_child": "1",
        "q_area": "1",
        "q_int_privacy": "1",
        "q_age": "14",
    }
    return fixed | answers


def everything(interview: Interview, **answers: str) -> dict[str, str]:
    """Answers of somebody to whom all happened: yes, and once or more."""
    chosen = {name: "2" if "2" in codes else codes[0] for name, codes in interview.choices.items()}
    return chosen | consenting(**answers)


def test_a_child_or_parent_who_does_not_agree_is_asked_nothing(child: Interview) -> None:
    for refused in ({"q_consent_parent": "0"}, {"q_assent_child": "0"}):
        record = child.answer(everything(child, **refused))
        assert not child.shown("q_age")
        assert record["age"] == record["net_3m"] == ""
    child.answer(everything(child, q_consent_parent="0"))
    assert not child.shown("introduction")
    child.answer(everything(child, q_assent_child="0"))
    assert child.shown("closing")


def test_sensitive_items_have_age_floors(child: Interview, forms: dict[str, Path]) -> None:
    floored = {name: v.minimum_age for name, v in FRAMEWORK.variables("child").items() if v.minimum_age}
    tier_b = {name for name, v in FRAMEWORK.variables("child").items() if v.tier == "B"}
    assert set(floored) <= tier_b
    for age in range(5, 18):
        record = child.answer(everything(child, q_age=str(age)))
        for name, floor in floored.items():
            assert child.shown(f"q_{name}") == (age >= floor), (name, age)
            assert (record[name] == "-7") == (age < floor)
        for name in tier_b - set(floored):
            assert not child.shown(f"q_{name}") or age >= FRAMEWORK.head.ages.minimum, (name, age)
    higher = Interview(fill_in(forms["child"], FILLED_IN | {"set_age_floor": "15"}))
    higher.answer(everything(higher, q_age="14"))
    assert not any(higher.shown(f"q_{name}") for name in floored)


TIER_B_MODULES = {
    module.module: [name for name, variable in module.variables.items() if variable.tier == "B"]
    for module in FRAMEWORK.modules.values()
    if module.record == "child" and any(variable.tier == "B" for variable in module.variables.values())
}


@pytest.mark.parametrize("module", TIER_B_MODULES)
@pytest.mark.parametrize("answer", ["seen", "unsure", "stop"])
def test_private_questions_are_asked_of_those_alone_only(child: Interview, module: str, answer: str) -> None:
    names = TIER_B_MODULES[module]
    child.answer(everything(child))
    assert any(child.shown(f"q_{name}") for name in names)
    record = child.answer(everything(child) | {f"alone_{module}": answer})
    assert not any(child.shown(f"q_{name}") for name in names)
    assert {record[name] for name in names} <= {"-9", "-7"}
    assert child.shown(f"skipped_{module}") == (answer != "stop")
    assert child.shown("q_rgt_know") == (answer != "stop")
    assert child.shown("closing")


def test_the_answers_of_a_child_who_is_not_online_need_no_crosswalk(child: Interview) -> None:
    record = child.answer(everything(child, q_net_3m="0", q_in_school="0"))
    assert (record["net_3m"], record["net_freq"], record["rct_met"], record["med_school"]) == (
        "0",
        "-7",
        "-7",
        "-7",
    )
    assert (record["country_iso3"], record["survey_id"], record["int_ym"]) == ("KEN", "KCOPS", "2026-04")
    assert (record["hlp_know_line"], record["int_result"], record["weight"]) == ("1", "1", "")


@pytest.mark.parametrize(
    ("answer", "value"),
    [("1 3", "2"), ("1 2 3", "3"), ("0", "0"), ("-8", "-8"), ("-9", "-9"), ("stop", "-9")],
)
def test_restrictions_are_counted(child: Interview, answer: str, value: str) -> None:
    assert child.answer(everything(child, q_med_rules=answer))["med_rules"] == value
    assert child.refused() == set()


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("q_med_rules", "0 1"),
        ("q_med_rules", "-9 2"),
        ("q_net_age1", "15"),
        ("q_age", "4"),
        ("q_int_lang", "12"),
    ],
)
def test_an_answer_that_cannot_be_is_not_accepted(child: Interview, name: str, answer: str) -> None:
    child.answer(everything(child, **{name: answer}))
    assert name in child.refused()


@pytest.mark.parametrize(
    ("answers", "result"),
    [
        ({}, "1"),
        ({"q_wel_life": "stop"}, "2"),
        ({"q_hrm_upset": "stop"}, "2"),
        ({"alone_help": "seen"}, "2"),
        ({"q_rcx_fake": "stop"}, "3"),
        ({"alone_contact": "seen"}, "3"),
        ({"q_sex": "stop"}, "3"),
    ],
)
def test_the_result_says_how_far_the_interview_got(
    child: Interview, answers: dict[str, str], result: str
) -> None:
    assert child.answer(everything(child) | answers)["int_result"] == result


def test_a_parent_whose_child_is_not_online_is_not_asked_about_it(parent: Interview) -> None:
    agreed = {"q_agree": "1"}
    record = parent.answer(everything(parent) | agreed | {"q_child_online": "0"})
    skipped = [name for name, v in FRAMEWORK.variables("parent").items() if v.skipped_elsewhere]
    assert {record[name] for name in skipped} == {"-7"}
    assert record["p_know_line"] == "1"
    record = parent.answer(everything(parent) | agreed | {"q_child_online": "-8"})
    assert "-7" not in {record[name] for name in skipped}


def respondents(interview: Interview) -> st.SearchStrategy[dict[str, str]]:
    """Anybody: any answer to any question, one place at which to stop or none, and any who listen."""
    choices = {
        name: st.sampled_from([code for code in codes if code != "stop"])
        for name, codes in interview.choices.items()
        if name not in consenting()
    }
    stops = st.sampled_from([None, *(name for name, codes in interview.choices.items() if "stop" in codes)])
    ages = st.integers(5, 24).map(str)
    return st.builds(
        lambda answers, stop, age: (
            consenting(q_age=age)
            | answers
            | {"q_agree": "1", "q_net_age1": min(answers.get("q_net_age1", "0"), age, key=int)}
            | ({stop: "stop"} if stop else {})
        ),
        st.fixed_dictionaries(choices),
        stops,
        ages,
    )


@pytest.mark.parametrize("record", ["child", "parent"])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_whatever_is_answered_the_record_has_the_codes_of_the_framework(
    record: str, child: Interview, parent: Interview, data: st.DataObject
) -> None:
    interview = child if record == "child" else parent
    values = interview.answer(data.draw(respondents(interview)))
    assert interview.refused() == set()
    universes = FRAMEWORK.universes_of(record)  # type: ignore[arg-type]
    coded = {
        name: int(values[name])
        for name, variable in FRAMEWORK.variables(record).items()
        if variable.type in ("code", "integer") and values[name] != ""
    }
    for name, variable in FRAMEWORK.variables(record).items():
        if variable.codelist and name not in ("disability", "ses_q"):
            assert coded[name] in {*FRAMEWORK.codes(variable), -7, -8, -9}, name
    with memory_connection(threads=1) as connection:
        skips = skip_columns(universes, coded)
        answered = ", ".join(f"{value} AS {name}" for name, value in coded.items())
        added = "".join(f", {sql} AS {name}" for name, sql in skips.items())
        rendering = Rendering(
            present=frozenset(coded), skipped=frozenset(name.removesuffix("__no") for name in skips)
        )
        names = list(universes)
        if not names:
            return
        asked = connection.execute(
            f"SELECT {', '.join(rendering.sql(universes[n]) for n in names)}"
            f" FROM (SELECT *{added} FROM (SELECT {answered}))"
        ).fetchone()
    assert asked is not None
    for name, is_asked in zip(names, asked, strict=True):
        if is_asked is True:
            assert coded[name] != -7, name
        elif is_asked is False:
            assert coded[name] == -7, name
        else:
            assert coded[name] in (-9, -7), name


@compiler
@pytest.mark.parametrize("record", ["child", "parent"])
def test_the_engine_of_odk_collect_comes_to_the_same_record(
    record: str, forms: dict[str, Path], child: Interview, parent: Interview, tmp_path: Path
) -> None:
    interview = child if record == "child" else parent
    form = tmp_path / "form.xml"
    form.write_text(convert(str(fill_in(forms[record])), validate=False).xform, "utf-8")
    random = Random(2026)  # noqa: S311
    expected = {}
    for number in range(12):
        answers = {name: random.choice(codes) for name, codes in interview.choices.items()}
        if number % 3:
            answers |= {name: "1" for name, value in answers.items() if value == "stop"}
            answers |= {name: "alone" for name in answers if name.startswith("alone_")}
        answers |= consenting(q_age=str(random.randint(8, 18)), q_net_age1="5", q_agree="1")
        name = f"{number}.properties"
        (tmp_path / name).write_text("".join(f"{key}={value}\n" for key, value in answers.items()), "utf-8")
        expected[name] = interview.answer(answers)
        assert interview.refused() == set()
    found = answered_in_javarosa(form, [tmp_path / name for name in expected])
    this_month = {"int_ym", "p_int_ym", "instanceID", "instanceName"}
    for name, values in expected.items():
        differing = {k: (v, found[name].get(k)) for k, v in values.items() if v != found[name].get(k)}
        assert {k: v for k, v in differing.items() if k not in this_month} == {}, name


def answered_in_javarosa(form: Path, answers: list[Path]) -> dict[str, dict[str, str]]:
    program = Path(__file__).with_name("Answer.java")
    call = ["java", "-cp", ODK_VALIDATE_PATH, str(program), str(form), *map(str, answers)]
    done = subprocess.run(call, capture_output=True, text=True, check=True, timeout=120)
    found: dict[str, dict[str, str]] = {}
    for line in done.stdout.splitlines():
        if line.startswith("# "):
            values = found.setdefault(line[2:], {})
        elif "=" in line:
            name, _, value = line.partition("=")
            values[name] = value
    return found


MANIFEST = {
    "kind": "survey",
    "framework": "cop-2026",
    "ref_area": "KEN",
    "survey": "KCOPS",
    "reference_year": 2026,
    "version": 1,
    "title": {"en": "Interviews of a test"},
    "fieldwork": {"start": dt.date(2026, 4, 1), "end": dt.date(2026, 4, 30)},
    "files": {"child": {"path": "child.csv"}},
    "population": {
        "ages": {"min": 9, "max": 17},
        "universe": "all_children",
        "setting": "household",
        "coverage": "national",
    },
    "design": {"stratum": "stratum", "psu": "psu", "weight": "weight"},
    "sampling": "probability_documented",
    "mode": "self_completed",
    "response_rate": {"overall": 0.8},
    "translation": {"method": "not_needed", "languages": ["en"]},
    "modules": MODULES["child"],
    "not_asked": ["disability", "ses_q"],
    "ethics": {"review": "National board, 12/2026", "consent": "parent_and_child"},
    "dissemination": {"consent": True},
    "contact": {"organisation": "National Statistical Office"},
}


def test_an_exported_file_passes_the_check_without_a_crosswalk(child: Interview, tmp_path: Path) -> None:
    interviews = []
    for number in range(24):
        answers = {name: codes[number % max(1, len(codes) - 1)] for name, codes in child.choices.items()}
        answers |= consenting(q_age=str(9 + number % 9), q_child_id=f"c{number}", q_net_age1="6")
        answers |= {"q_psu": str(number % 6), "q_stratum": "AB"[number % 2], "alone_contact": "alone"}
        if number % 5 == 4:
            answers |= {"q_net_3m": "0"}
        if number % 7 == 6:
            answers |= {"alone_contact": "seen"}
        if number == 10:
            answers |= {"q_hrm_upset": "stop"}
        exported = child.answer(answers)
        assert child.refused() == set()
        interviews.append(exported | {"weight": str(1000 + number)})
    never_filled = {name for name in interviews[0] if not any(record[name] for record in interviews)}
    with (tmp_path / "child.csv").open("w", encoding="utf-8", newline="") as file:
        names = [name for name in interviews[0] if name not in never_filled]
        writer = csv.DictWriter(file, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(interviews)
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(MANIFEST), "utf-8")
    result = check(tmp_path).result
    failed = {
        o.rule.id: o.rule.severity for o in result.outcomes if o.state not in ("passed", "not_applicable")
    }
    assert [rule for rule, severity in failed.items() if severity == "error"] == []
    assert result.accepted


# --- a questionnaire that does not fit its framework -------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("    net_3m:\n", "    net_4m:\n"), "D050"),
        (("    rgt_know: {text: Have you heard that children have rights?}\n", ""), "D051"),
        (("    age_first_use:\n", "    no_such_rule:\n"), "D052"),
        (("    rights: {title: Your rights}\n", "    wrongs: {title: Your rights}\n"), "D052"),
        (("  CL_YESNO:\n    1: ", "  CL_YESNO:\n    2: "), "D052"),
        (("        3: {label: Another answer}\n", "        4: {label: Another answer}\n"), "D052"),
        (("  agreement: [agree]\n", "  agreement: [assent]\n"), "D052"),
        (("      codelist: CL_YESNO\n", "      codelist: CL_NOYES\n"), "D052"),
        (("    rgt_know: {text: ", "    rgt_know: {question: "), "D002"),
    ],
)
def test_an_error_names_file_and_line(tmp_path: Path, root: Path, change: tuple[str, str], code: str) -> None:
    source = root / "schemas" / "cop-2026" / "questionnaire.yaml"
    written = source.read_text("utf-8")
    assert change[0] in written
    folder = tmp_path / "schemas" / "cop-2026"
    folder.mkdir(parents=True)
    (folder / "questionnaire.yaml").write_text(written.replace(*change, 1), "utf-8")
    with pytest.raises(DefinitionError) as raised:
        questionnaire_of(FRAMEWORK, tmp_path)
    assert raised.value.code == code
    assert re.fullmatch(r"questionnaire\.yaml:\d+", raised.value.where)
    assert raised.value.title
    load_questionnaire.cache_clear()


def test_a_version_without_a_questionnaire_is_told(tmp_path: Path) -> None:
    with pytest.raises(DefinitionError) as raised:
        questionnaire_of(FRAMEWORK, tmp_path)
    assert raised.value.code == "D016"
