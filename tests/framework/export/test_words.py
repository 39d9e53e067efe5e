from __future__ import annotations

import pytest

from copstats.framework import load_framework
from copstats.framework.export.words import Phrases, any_of, heading, notices
from copstats.framework.expressions import parse_predicate
from copstats.language import translations

AGE, SEX, PHONE = "“Age in completed years”", "“Sex”", "“Has own mobile phone”"


@pytest.mark.parametrize(
    ("predicate", "said"),
    [
        ("sex = 1", f"{SEX}: Male"),
        ("sex <> 1", f"{SEX}: Female or Other category recognised nationally"),
        ("sex >= 1", f"{SEX}: Male, Female or Other category recognised nationally"),
        ("sex IN (1, 2)", f"{SEX}: Male or Female"),
        ("sex BETWEEN 2 AND 3", f"{SEX}: Female or Other category recognised nationally"),
        ("age >= 12", f"{AGE}: 12 or more"),
        ("12 <= age", f"{AGE}: 12 or more"),
        ("age > 12", f"{AGE}: more than 12"),
        ("age < 12", f"{AGE}: less than 12"),
        ("12 > age", f"{AGE}: less than 12"),
        ("age <= 12", f"{AGE}: 12 or less"),
        ("age = 12", f"{AGE}: 12"),
        ("age <> 12", f"{AGE}: not 12"),
        ("age BETWEEN 12 AND 17", f"{AGE}: 12 to 17"),
        ("age IN (12, 13)", f"{AGE}: 12 or 13"),
        ("net_age1 > age", "“Age when first used the internet”: more than Age in completed years"),
        ("sex = 1 AND age >= 12", f"{SEX}: Male; and {AGE}: 12 or more"),
        ("sex = 1 OR age >= 12", f"{SEX}: Male; or {AGE}: 12 or more"),
        ("own_phone = 1 AND (sex = 1 OR age = 9)", f"{PHONE}: Yes; and ({SEX}: Male; or {AGE}: 9)"),
        ("NOT sex = 1", f"not so: {SEX}: Male"),
        ("TRUE", "Everyone"),
        ("FALSE", "Nobody"),
    ],
)
def test_predicates_in_words(predicate, said):
    framework = load_framework()
    variables = framework.variables("child")
    phrases = Phrases(framework, variables, translations("en"))
    assert phrases.predicate(parse_predicate(predicate, variables, framework.codelists)) == said


def test_every_predicate_of_the_framework_can_be_said():
    framework = load_framework()
    for language in ("en", "ar"):
        phrases = Phrases(framework, framework.variables("dyad"), translations(language))
        for predicate in (*framework.universes.values(), *framework.violations.values()):
            labels = [phrases.words.text(framework.variables("dyad")[n].label) for n in predicate.variables]
            assert all(label in phrases.universe(predicate) for label in labels)


def test_the_numerator_of_a_mean_is_its_variable():
    framework = load_framework()
    variables = framework.variables("child")
    predicate = parse_predicate("wel_life = wel_life", variables, framework.codelists)
    assert (
        Phrases(framework, variables, translations("en")).predicate(predicate) == "Life satisfaction ladder"
    )


def test_lists():
    words = translations("en")
    assert [any_of(["a", "b", "c"][:n], words) for n in (1, 2, 3)] == ["a", "a or b", "a, b or c"]


def test_every_export_says_what_it_is():
    framework = load_framework()
    assert heading(framework, translations("en")).endswith("(cop-2026, version 1.0.0)")
    draft = "DRAFT. Not cognitively tested. Not for fieldwork before an ethics review."
    assert notices(framework, translations("en")) == [draft, framework.head.notice]
    arabic = translations("ar")
    assert (arabic.notice in notices(framework, arabic)) == (not arabic.reviewed)
