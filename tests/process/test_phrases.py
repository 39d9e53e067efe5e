"""What messages say of their rule: permitted codes, limits, forms, who is asked; in every language."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import numpy as np
import pytest

from copstats.framework import Framework, frameworks, load_framework
from copstats.framework.expressions import parse_predicate
from copstats.framework.manifest import Crosswalk, Mapping
from copstats.language import LANGUAGES, placeholders, translations
from copstats.process.compiled import CompiledRule
from copstats.process.phrases import (
    FORMS,
    asked_of,
    expected,
    form,
    label_of,
    missing_codes,
    permitted_codes,
    permitted_range,
)
from copstats.process.rules import compile_rules
from copstats.process.wording import names_of
from tests.process.material import Submission, clean_child, clean_parent, manifest

ENGLISH, FRENCH = translations("en"), translations("fr")


def compiled(
    framework: Framework, says: Crosswalk | None = None, survey: Any = None
) -> dict[str, CompiledRule]:
    random = np.random.default_rng(3)
    made = Submission().add(framework, "child", [clean_child(number, random) for number in range(3)])
    made.add(framework, "parent", [clean_parent(number, random) for number in range(3)])
    return {rule.id: rule for rule in compile_rules(framework, survey or manifest(), made, says)}


def fix(rule: CompiledRule) -> str:
    """Return how to put it right, in English."""
    return ENGLISH.text(rule.message.fix, **names_of(rule, None, {}, 1, ENGLISH))


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_placeholder_of_a_message_is_known(small: Framework, language: str) -> None:
    words = translations(language)
    ready = [rule for rule in compiled(small).values() if rule.ready and rule.kind in ("row", "table")]
    assert len({rule.rule_class for rule in ready}) > 20
    for rule in ready:
        names = names_of(rule, None, dict.fromkeys(rule.params, 1), 1, words)
        for text in (rule.message.what, rule.message.why, rule.message.fix):
            assert {name.strip("{}") for name in placeholders(text)} <= names.keys(), rule.id
            assert words.text(text, **names)


def test_messages_name_what_is_permitted(small: Framework) -> None:
    rules = compiled(small)
    assert "sex takes 1 (male), 2 (female), 3 (other) or -8, -9." in fix(rules["code_list:sex"])
    assert "age takes 5 to 24 or -8, -9." in fix(rules["range:age"])
    assert "fpc_psu takes 1 or more." in fix(rules["range:fpc_psu"])
    assert "Asked for: year and month, such as 2026-04." in fix(rules["pattern:int_ym"])
    assert "Asked for: the regular expression ^[a-z]{2}$." in fix(rules["pattern:int_lang"])
    assert "“Online”: yes (net_3m)" in fix(rules["skip_ignored:contact"])
    what = ENGLISH.text(
        rules["area_mismatch:country_iso3"].message.what,
        **names_of(rules["area_mismatch:country_iso3"], None, {}, 2, ENGLISH),
    )
    assert what.endswith("than the manifest, KEN: 2.")


def test_a_skip_is_not_proposed_where_everybody_is_asked(small: Framework) -> None:
    rules = compiled(small)
    assert "-7" not in fix(rules["blank:net_3m"])
    assert "-7" in fix(rules["blank:contact"])
    assert "missing code that it takes: none." in fix(rules["blank:psu"])


def test_the_codes_that_the_crosswalk_explains_are_named(small: Framework) -> None:
    says = Crosswalk(framework=small.id, child={"sex": Mapping(source="S", map={"m": 1, "f": 2})})
    assert "Expected here: what the crosswalk explains, m, f." in fix(compiled(small, says)["unread:sex"])
    variable = small.variables("child")["age"]
    assert expected(small, variable, None, (-8,), ENGLISH) == "Whole number or -8"


def test_long_lists_are_cut() -> None:
    framework = load_framework()
    sexes = framework.codelists["CL_SEX"]
    long = msgspec.structs.replace(sexes, codes=dict.fromkeys(range(1, 41), sexes.codes[1]))
    framework = dataclasses.replace(framework, codelists={**framework.codelists, "CL_SEX": long})
    said = permitted_codes(framework, framework.variables("child")["sex"], (-9,), ENGLISH)
    assert said.count("(") == 12
    assert said.endswith("; and more: 28 or -9")


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ((0, 10, (-7, -8)), "0 to 10 or -7, -8"),
        ((None, 3, ()), "3 or less"),
        ((0.5, None, ()), "0.5 or more"),
    ],
)
def test_limits(limits: tuple[Any, ...], said: str) -> None:
    assert permitted_range(*limits, ENGLISH) == said


def test_missing_codes_have_their_meaning() -> None:
    framework = load_framework()
    assert missing_codes(framework, (-8,), ENGLISH) == "-8 (Does not know)"
    assert missing_codes(framework, (), ENGLISH) == "none"


@pytest.mark.parametrize("framework", frameworks())
def test_every_form_of_the_framework_is_said_in_words(framework: str) -> None:
    loaded = load_framework(framework)
    texts = [v for kind in ("child", "parent") for v in loaded.variables(kind).values() if v.pattern]
    assert texts
    assert [v.pattern for v in texts if v.type != "month" and v.pattern not in FORMS] == []
    assert not any("regular expression" in form(variable, ENGLISH) for variable in texts)


def test_a_national_age_floor_takes_the_place_of_a_lower_one() -> None:
    framework = load_framework()
    variables, lists = framework.variables("child"), framework.codelists
    universe = parse_predicate("net_3m = 1 AND age >= 12", variables, lists, floor=12)
    said = {
        floor: asked_of(framework, "child", universe, floor, ENGLISH).split("; and ")[1]
        for floor in (None, 10, 14)
    }
    years = "“Age in completed years”: {} or more (age, net_3m)".format
    assert said == {None: years(12), 10: years(12), 14: years(14)}
    assert "12" in universe.tree.sql()


def test_who_is_asked_is_said_in_the_language_of_the_reader() -> None:
    framework = load_framework()
    universe = framework.universes["child", "hlp_parent"]
    said = asked_of(framework, "child", universe, None, FRENCH)
    assert FRENCH.text(framework.variables("child")["hlp_told"].label) in said
    assert "Told anyone" not in said
    assert "hlp_told" in said
    assert asked_of(framework, "child", None, None, ENGLISH) == "Everyone"
    assert label_of("Male", "CL_SEX", FRENCH) == FRENCH.text("Male", "CL_SEX") != "Male"
