"""What a program part asks for a text, a number, a date or a country's name in the reader's language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from copstats.errors import CopstatsError, UsageError, error_catalogue
from copstats.language.catalogue import Catalogue, read_catalogue
from copstats.project import project_root

LANGUAGES = {
    "ar": "العربية",
    "en": "English",
    "es": "español",
    "fr": "français",
    "ru": "русский",
    "zh": "中文",
}
"""Official languages of the United Nations (BCP 47), each by its own name."""

SOURCE_LANGUAGE = "en"
AREA = "area"
"""Context of names of countries and areas."""

_RIGHT_TO_LEFT = frozenset({"ar"})
_FIRST_STRONG_ISOLATE, _POP_ISOLATE, _LEFT_TO_RIGHT_MARK = "\u2068", "\u2069", "\u200e"
_RIGHT_TO_LEFT_ISOLATE = "\u2067"
_LOCALES = {"en": "en_GB"}
"""Where the locale data of the bare language are a country's: dates are written 31 December 2026."""


def N_(text: str) -> str:
    """Mark a text for translators and return it unchanged; ``Translations.text`` takes it to be shown."""
    return text


_NOTICE = N_("This translation has not been reviewed by a person.")


@dataclass(frozen=True)
class Translations:
    """Texts of one framework version and of the program in one language.

    It keeps no state: one object serves any number of documents and threads.

    Attributes:
        language: BCP 47.
        catalogues: looked into in this order; none for English.
    """

    language: str
    catalogues: tuple[Catalogue, ...] = ()

    def text(self, msgid: str, context: str | None = None, /, **params: object) -> str:
        """Return a text in this language, or the English one where there is no translation.

        Args:
            msgid: the English text, as it stands in a definition or in the code.
            context: name of its code list; matters for the few English texts with several translations.
            params: values of the placeholders; amounts go through ``number`` before. In a right-to-left
                language each value is isolated, so that a name such as ``rct_met`` and a code such as -7 keep
                their order.
        """
        found = self._find(msgid, context)
        text = msgid if found is None else found[0].texts[found[1]]
        if not params:
            return text
        return text.format_map({name: self._isolated(str(value)) for name, value in params.items()})

    def is_reviewed(self, msgid: str, context: str | None = None, /) -> bool:
        """Whether a person has reviewed the translation of this text; True for English."""
        found = self._find(msgid, context)
        if found is None:
            return self.language == SOURCE_LANGUAGE
        return found[1] not in found[0].unreviewed

    @property
    def reviewed(self) -> bool:
        """Whether every text has a translation that a person has reviewed; True for English."""
        return all(catalogue.reviewed for catalogue in self.catalogues)

    @property
    def notice(self) -> str | None:
        """The sentence that every output in this language carries until all its texts are reviewed."""
        return None if self.reviewed else self.text(_NOTICE)

    @property
    def direction(self) -> Literal["rtl", "ltr"]:
        """Direction of writing, as HTML's ``dir`` has it."""
        return "rtl" if self.language in _RIGHT_TO_LEFT else "ltr"

    def number(self, value: float, decimals: int = 0) -> str:
        """Write a number with this language's separators and so many decimals."""
        from babel.numbers import format_decimal

        pattern = "#,##0." + "0" * decimals if decimals else "#,##0"
        text = format_decimal(value, format=pattern, locale=self._locale)
        # A minus sign at the start would otherwise move to the end in right-to-left text.
        return _LEFT_TO_RIGHT_MARK + text if value < 0 and self.direction == "rtl" else text

    def date(self, day: dt.date) -> str:
        """Write a date with the name of the month."""
        from babel.dates import format_date

        return format_date(day, "long", locale=self._locale)

    def listing(self, items: Sequence[str]) -> str:
        """Join texts as this language does: ``a, b and c``."""
        from babel.lists import format_list

        return format_list([self._isolated(item) for item in items], locale=self._locale)

    def ages(self, minimum: int, maximum: int) -> str:
        """Name an age band; both ends included, completed years."""
        return self.text(N_("Ages {minimum} to {maximum}"), minimum=minimum, maximum=maximum)

    def area(self, code: str, name: str) -> str:
        """Name a country or area.

        The name is that of the Unicode locale data (CLDR), which people have reviewed. Where their English
        name is not that of the area table, the catalogue has the name.

        Args:
            code: ISO 3166-1 alpha-3.
            name: English name of the area table; returned where no other is known.
        """
        if self._find(name, AREA) is not None:
            return self.text(name, AREA)
        if self.language == SOURCE_LANGUAGE or locale_area_name(code, SOURCE_LANGUAGE) != name:
            return name
        return locale_area_name(code, self.language) or name

    def error(self, error: CopstatsError) -> dict[str, str]:
        """Return an error's code, place, title, cause and remedy in this language."""
        parts = error_catalogue()[error.code]
        texts = {part: self.text(parts[part], **error.params) for part in ("title", "why", "hint")}
        return {"code": error.code, "where": error.where} | texts

    def _find(self, msgid: str, context: str | None) -> tuple[Catalogue, tuple[str | None, str]] | None:
        for key in ((context, msgid), (None, msgid)) if context else ((None, msgid),):
            for catalogue in self.catalogues:
                if key in catalogue.texts:
                    return catalogue, key
        return None

    def _isolated(self, value: str) -> str:
        if self.direction != "rtl":
            return value
        # What holds isolates is a text of this language; its direction does not follow from what they hold
        # (Unicode Bidirectional Algorithm, P2).
        composed = _POP_ISOLATE in value
        return f"{_RIGHT_TO_LEFT_ISOLATE if composed else _FIRST_STRONG_ISOLATE}{value}{_POP_ISOLATE}"

    @property
    def _locale(self) -> str:
        return _LOCALES.get(self.language, self.language)


def translations(language: str, framework_id: str = "cop-2026") -> Translations:
    """Return the texts of a framework version and of the program in a language.

    English needs no catalogue: nothing is read and Babel is not imported.

    Raises:
        UsageError: U120, no such language.
        DefinitionError: D020 to D022, a catalogue is wrong.
    """
    if language not in LANGUAGES:
        raise UsageError("U120", language=language, known=", ".join(LANGUAGES))
    if language == SOURCE_LANGUAGE:
        return Translations(language)
    paths = (framework_catalogue(framework_id, language), program_catalogue(language))
    return Translations(language, tuple(read_catalogue(path, language) for path in paths))


def framework_catalogue(framework_id: str, language: str) -> Path:
    """Return the path of a framework version's catalogue."""
    return project_root() / "schemas" / framework_id / "translations" / f"{language}.po"


def program_catalogue(language: str) -> Path:
    """Return the path of the program's catalogue."""
    return Path(__file__).resolve().parents[1] / "messages" / "locale" / f"{language}.po"


@cache
def locale_area_name(code: str, language: str) -> str | None:
    """Return the name that the Unicode locale data give an area (ISO 3166-1 alpha-3), or None."""
    from babel import Locale
    from babel.core import get_global

    two_letters = get_global("territory_aliases").get(code, [""])[0]
    return Locale(language).territories.get(two_letters)
