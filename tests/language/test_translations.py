from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from babel import Locale

from copstats.errors import UsageError
from copstats.framework import DEFAULT_FRAMEWORK, load_areas
from copstats.framework.translation import program_messages
from copstats.language import LANGUAGES, Translations, translations
from copstats.language.catalogue import Catalogue

SIX = sorted(LANGUAGES)


def of(language: str, *texts: tuple[str | None, str, str], unreviewed: tuple[str, ...] = ()) -> Translations:
    keys = {(context, msgid): translation for context, msgid, translation in texts}
    return Translations(language, (Catalogue(keys, frozenset((None, msgid) for msgid in unreviewed)),))


def test_the_six_official_languages_of_the_united_nations() -> None:
    assert SIX == ["ar", "en", "es", "fr", "ru", "zh"]
    assert {code: Locale(code).get_display_name(code) for code in SIX} == LANGUAGES


def test_the_default_framework_is_the_framework_packages() -> None:
    assert translations.__defaults__ == (DEFAULT_FRAMEWORK,)


def test_english_is_itself_and_reads_nothing() -> None:
    code = (
        "import sys; from copstats.language import translations; t = translations('en');"
        "assert t.text('{count} records', count=3) == '3 records';"
        "assert t.reviewed and t.notice is None and t.is_reviewed('Yes');"
        "assert not {'babel', 'yaml', 'duckdb', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        translations("de")
    assert caught.value.code == "U120"


def test_a_text_without_translation_is_english_and_not_reviewed() -> None:
    french = of("fr", (None, "Yes", "Oui"))
    assert french.text("Yes") == "Oui"
    assert french.is_reviewed("Yes")
    assert french.text("{count} cells", count=2) == "2 cells"
    assert not french.is_reviewed("{count} cells")


def test_a_context_has_its_own_translation_and_else_the_common_one() -> None:
    french = of("fr", ("CL_MODE", "Other", "Autre mode"), (None, "Other", "Autre"))
    assert french.text("Other", "CL_MODE") == "Autre mode"
    assert french.text("Other", "CL_LIVING") == "Autre"


def test_the_frameworks_texts_come_before_the_programs() -> None:
    first, second = of("fr", (None, "Total", "A")), of("fr", (None, "Total", "B"), (None, "Sex", "Sexe"))
    both = Translations("fr", first.catalogues + second.catalogues)
    assert (both.text("Total"), both.text("Sex")) == ("A", "Sexe")


def test_unreviewed_translations_are_used_and_the_output_says_so() -> None:
    notice = "This translation has not been reviewed by a person."
    french = of("fr", (None, "Yes", "Oui"), (None, notice, "Non relu."), unreviewed=("Yes",))
    assert french.text("Yes") == "Oui"
    assert not french.is_reviewed("Yes")
    assert french.notice == "Non relu."
    reviewed = of("fr", (None, "Yes", "Oui"), (None, notice, "Non relu."))
    assert reviewed.notice is None


@pytest.mark.parametrize("language", [code for code in SIX if code != "en"])
def test_the_notice_is_there_in_every_language(language: str) -> None:
    notice = translations(language).notice
    assert notice is not None
    assert notice != "This translation has not been reviewed by a person."


@pytest.mark.parametrize("language", SIX)
def test_direction_is_that_of_the_locale_data(language: str) -> None:
    assert translations(language).direction == Locale(language).text_direction


def test_values_in_right_to_left_text_keep_their_own_order() -> None:
    text = "{count} empty cells in {variable}"
    arabic = of("ar", (None, text, "خلايا فارغة في {variable}: {count}"))
    shown = arabic.text(text, count=-7, variable="rct_met")
    assert shown == "خلايا فارغة في \u2068rct_met\u2069: \u2068-7\u2069"
    assert translations("en").text(text, count=-7, variable="rct_met") == "-7 empty cells in rct_met"


def test_a_text_within_a_text_keeps_the_direction_of_its_language() -> None:
    words = translations("ar")
    when = words.text("{date}, {time}", date="7 ديسمبر 2026", time="09:26 UTC")
    shown = words.text("The time to answer ended on {time}.", time=when)
    assert f"\u2067{when}\u2069" in shown


def test_a_text_without_values_is_not_formatted() -> None:
    assert of("fr", (None, "a {b}", "un {b}")).text("a {b}") == "un {b}"


@pytest.mark.parametrize(
    ("language", "number", "date"),
    [
        ("ar", "1,234,567.50", "5 يناير 2026"),
        ("en", "1,234,567.50", "5 January 2026"),
        ("es", "1.234.567,50", "5 de enero de 2026"),
        ("fr", "1\u202f234\u202f567,50", "5 janvier 2026"),
        ("ru", "1\xa0234\xa0567,50", "5 января 2026\u202fг."),  # noqa: RUF001
        ("zh", "1,234,567.50", "2026年1月5日"),
    ],
)
def test_numbers_and_dates(language: str, number: str, date: str) -> None:
    own = translations(language)
    assert own.number(1234567.5, 2) == number
    assert own.date(dt.date(2026, 1, 5)) == date


def test_the_same_number_is_rounded_the_same_in_every_language() -> None:
    for value in (2.675, 0.125, 1.5, 2.5):
        figures = {translations(code).number(value, 2).replace(",", ".") for code in SIX}
        assert len(figures) == 1


def test_a_minus_sign_stays_before_its_number_in_arabic() -> None:
    assert translations("ar").number(-3.25, 1) == "\u200e-3.2"
    assert translations("fr").number(-3.25, 1) == "-3,2"


def test_lists_are_joined_as_the_language_does() -> None:
    assert translations("fr").listing(["a", "b", "c"]) == "a, b et c"
    assert translations("zh").listing(["甲", "乙", "丙"]) == "甲、乙和丙"
    assert translations("en").listing(["a"]) == "a"


def test_ages_are_named() -> None:
    assert translations("en").ages(9, 11) == "Ages 9 to 11"


def test_areas_are_named_by_locale_data_or_by_the_catalogue() -> None:
    french = of("fr", ("area", "State of Palestine", "État de Palestine"))
    assert french.area("DEU", "Germany") == "Allemagne"
    assert french.area("PSE", "State of Palestine") == "État de Palestine"
    assert french.area("XAA", "Arcadia") == "Arcadia"
    assert translations("en").area("PSE", "State of Palestine") == "State of Palestine"


@pytest.mark.parametrize("language", ["ar", "ru", "zh"])
def test_areas_that_stay_english_are_those_that_translators_are_asked_for(language: str) -> None:
    bare = Translations(language)
    english = {area.name for area in load_areas().values() if bare.area(area.code, area.name) == area.name}
    assert english == {message.msgid for message in program_messages() if message.context == "area"}


def test_an_error_in_another_language() -> None:
    error = UsageError("U120", where="--language", language="xx", known="ar, en")
    title = "There are no texts in the language {language}; known are {known}"
    shown = of("fr", (None, title, "Pas de textes en {language} ; connus : {known}")).error(error)
    assert shown["title"] == "Pas de textes en xx ; connus : ar, en"
    assert translations("en").error(error) == error.as_dict()
