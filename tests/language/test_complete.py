"""No entry is missing in any language: ``make translations`` brings the catalogues up to date."""

from __future__ import annotations

import re

import pytest

from copstats.framework import frameworks
from copstats.framework.translation import catalogues
from copstats.language import LANGUAGES
from copstats.language.catalogue import read_catalogue

CATALOGUES = list(catalogues())
FOREIGN = [language for language in LANGUAGES if language != "en"]
OWN_SCRIPT = {"ar": "\u0600-\u06ff", "ru": "\u0400-\u04ff", "zh": "\u4e00-\u9fff"}


@pytest.mark.parametrize("domain", [*frameworks(), "program"])
@pytest.mark.parametrize("language", FOREIGN)
def test_no_entry_is_missing(language: str, domain: str) -> None:
    path, messages = next((p, m) for code, name, p, m in CATALOGUES if (code, name) == (language, domain))
    there = read_catalogue(path, language)
    missing = [f"{m.place}: {m.comment}" for m in messages if m.key not in there.texts]
    assert not missing, f"{len(missing)} texts have no translation in {language}"


@pytest.mark.parametrize("language", list(OWN_SCRIPT))
def test_translations_are_in_their_own_script(language: str) -> None:
    """An English text copied as its translation would count as translated."""
    script = re.compile(f"[{OWN_SCRIPT[language]}]")
    foreign = [
        msgid
        for code, _, path, _ in CATALOGUES
        if code == language
        for (_, msgid), translation in read_catalogue(path, language).texts.items()
        if re.search(r"[a-z]", re.sub(r"\{[^{}]*\}|UTC|MB|of", "", msgid), re.I)
        and not script.search(translation)
    ]
    assert not foreign
