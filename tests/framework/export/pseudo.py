"""Languages in which every text is translated, by signs that formats tend to break."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from copstats.language import LANGUAGES, Translations
from copstats.language.catalogue import Catalogue, Key

SIGNS = {
    "ar": "\u200fمرحبا",  # noqa: RUF001
    "es": "¿año?",
    "fr": "l'été \"<&>",
    "ru": "ёж",
    "zh": "儿童",
}


class EveryText(Mapping[Key, str]):
    """Holds a translation of whatever is asked for."""

    def __init__(self, language: str) -> None:
        self._sign = SIGNS[language]

    def __getitem__(self, key: Key) -> str:
        return f"{self._sign} {key[1]}"

    def __contains__(self, key: object) -> bool:
        return True

    def __iter__(self) -> Iterator[Key]:
        return iter(())

    def __len__(self) -> int:
        return 1


def pseudo(*languages: str) -> list[Translations]:
    """Return English and the languages named (all by default), each text with the sign of its language."""
    chosen = languages or tuple(LANGUAGES)
    return [
        Translations(code, () if code == "en" else (Catalogue(EveryText(code), frozenset()),))
        for code in chosen
    ]
