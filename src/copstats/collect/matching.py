"""Key words of ``matching.yaml``: which ideas a national name or label speaks of, in six languages."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated

from msgspec import Meta, field

from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition, RecordKind, VariableName
from copstats.framework.loader import DEFAULT_FRAMEWORK, Framework, load_framework
from copstats.framework.located import Located, Place
from copstats.framework.typed import typed
from copstats.project import project_root

Words = Annotated[dict[str, list[str]], Meta(description="language -> key words; * at the end: also longer")]


class Wanted(Definition, frozen=True, kw_only=True):
    """The concepts by which a column is recognised as one variable."""

    needs: list[str]
    """All of them; ``a|b`` is one or the other."""
    helps: list[str] = field(default_factory=list)
    """May occur too; any further concept counts against the column."""


class Matching(Definition, frozen=True, kw_only=True):
    """``matching.yaml``."""

    concepts: dict[str, Words]
    neutral: list[str]
    """Concepts that count against no column."""
    variables: dict[RecordKind, dict[VariableName, Wanted]]
    answer_words: dict[str, Words]
    codelists: dict[str, dict[int, str]]
    missing: dict[int, str]


@dataclass(frozen=True)
class Found:
    """What a text speaks of.

    Attributes:
        concepts: names of the concepts.
        explained: share of the letters of the text that the key words cover.
    """

    concepts: frozenset[str]
    explained: float

    def __or__(self, other: Found) -> Found:
        """Return the concepts of both; the better explained of the two says how well."""
        return Found(self.concepts | other.concepts, max(self.explained, other.explained))


@dataclass(frozen=True)
class Lexicon:
    """Concepts with their key words, ready to be looked for."""

    patterns: Mapping[str, re.Pattern[str]]

    def found(self, text: str) -> Found:
        """Return the concepts of a text that `normalised` made."""
        spans: dict[str, list[tuple[int, int]]] = {}
        for concept, pattern in self.patterns.items():
            if hits := [hit.span("word") for hit in pattern.finditer(text)]:
                spans[concept] = hits
        covered = {i for hits in spans.values() for start, end in hits for i in range(start, end)}
        letters = sum(not sign.isspace() for sign in text)
        explained = sum(not text[i].isspace() for i in covered) / letters if letters else 0.0
        return Found(frozenset(spans), explained)


@dataclass(frozen=True)
class KeyWords:
    """``matching.yaml`` of a framework version, checked against it.

    Attributes:
        says: the file.
        concepts: key words of columns.
        answers: key words of value labels.
        weights: concept -> how much it tells; the fewer variables need it, the more.
    """

    says: Matching
    concepts: Lexicon
    answers: Lexicon
    weights: Mapping[str, float]


@cache
def load_key_words(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> KeyWords:
    """Read and check ``matching.yaml`` of a framework version.

    Raises:
        DefinitionError: D001 to D003, the file is malformed, or names a concept, variable, code list or code
            that there is not; names file and line.
    """
    located = Located((root or project_root()) / "schemas" / version / "matching.yaml")
    says = typed(located, Matching)
    _check(says, located, load_framework(version, root))
    wanted = [one for variables in says.variables.values() for one in variables.values()]
    return KeyWords(
        says=says,
        concepts=lexicon(says.concepts),
        answers=lexicon(says.answer_words),
        weights={
            concept: math.log1p(len(wanted) / (1 + sum(concept in alternatives(w.needs) for w in wanted)))
            for concept in says.concepts
        },
    )


def alternatives(needs: Iterable[str]) -> set[str]:
    """Return all concepts of a list in which ``a|b`` is one or the other."""
    return {concept for need in needs for concept in need.split("|")}


def _check(says: Matching, located: Located, framework: Framework) -> None:
    for at, name, known in _names(says, framework):
        if name not in known:
            raise DefinitionError("D002", where=located.where(*at), problem=f"`{name}` is not defined")


def _names(says: Matching, framework: Framework) -> Iterator[tuple[Place, object, Collection[object]]]:
    """Yield every name of the file, where it stands, and the names that there are."""
    for record, variables in says.variables.items():
        for name, wanted in variables.items():
            yield ("variables", record, name), name, framework.variables(record)
            for concept in sorted(alternatives([*wanted.needs, *wanted.helps])):
                yield ("variables", record, name), concept, says.concepts
    for concept in says.neutral:
        yield ("neutral",), concept, says.concepts
    for codelist, codes in says.codelists.items():
        yield ("codelists", codelist), codelist, framework.codelists
        for code, answer in codes.items():
            yield ("codelists", codelist), answer, says.answer_words
            yield ("codelists", codelist), code, framework.codelists[codelist].codes
    for answer in says.missing.values():
        yield ("missing",), answer, says.answer_words


_VARIANTS = str.maketrans(
    {"\u0649": "\u064a", "\u0629": "\u0647", "\u0640": None, "\u0131": "i", "\u0111": "d", "\u00f8": "o"}
)
"""Letters that are written either way: final alef maksura and ta marbuta, the stretching stroke, i without
its dot, d and o with a stroke."""
_BETWEEN = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])")
_MARKS = r"\u0900-\u0fff\u1000-\u109f\u1780-\u17ff"
"""Scripts of South and South-East Asia, whose vowel signs belong to the word although they are no letters."""
_LETTER = rf"[\w{_MARKS}]"
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u11ff\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")
"""Scripts in which a word has no space before or behind it, or takes endings as Korean does."""
_SIGNS = re.compile(rf"(?:[^\w{_MARKS}]|_)+")
_ARABIC = re.compile(r"[\u0600-\u06ff]")
_PREFIX = "(?:[وف]?(?:[بك]?ال|لل|[بلك])?)"
"""What Arabic writes together with the word behind it: and, in, to, as, the."""


def normalised(text: str, *, name: bool = False) -> str:
    """Return a text as key words are looked for: no accents, capitals, punctuation, or letters' variants.

    Args:
        text: a label, or the name of a column.
        name: it is a name: ``netAge1`` and ``NET_AGE1`` are both ``net age 1``.
    """
    spaced = _BETWEEN.sub(" ", text) if name else text
    apart = unicodedata.normalize("NFKD", spaced)
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    words = _SIGNS.sub(" ", bare.casefold().translate(_VARIANTS))
    return words.strip()


def lexicon(concepts: Mapping[str, Words]) -> Lexicon:
    """Return concepts with their key words, ready to be looked for."""
    return Lexicon({name: _pattern(by_language.values()) for name, by_language in concepts.items()})


def _pattern(words: Iterable[Iterable[str]]) -> re.Pattern[str]:
    forms = sorted({_form(word) for some in words for word in some}, key=len, reverse=True)
    return re.compile("|".join(forms).join(("(?P<word>", ")")))


def _form(word: str) -> str:
    """Return a key word as a regular expression over normalised text."""
    parts = [(normalised(part), part.endswith("*")) for part in word.split()]
    text = r"\s+".join(re.escape(part) + (f"{_LETTER}*" if longer else "") for part, longer in parts)
    if _UNSPACED.search(text):
        return text.replace(r"\s+", r"\s*")
    return rf"(?<!{_LETTER}){_PREFIX if _ARABIC.search(text) else ''}{text}(?!{_LETTER})"
