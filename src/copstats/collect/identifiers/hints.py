"""Key words of ``identifiers.yaml``: what the name or the label of a column promises of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from copstats.collect.matching import Lexicon, Words, lexicon, normalised
from copstats.errors import DefinitionError
from copstats.framework.definitions import Definition
from copstats.framework.loader import DEFAULT_FRAMEWORK
from copstats.framework.located import Located
from copstats.framework.typed import typed
from copstats.project import project_root


class IdentifierWords(Definition, frozen=True, kw_only=True):
    """``identifiers.yaml``."""

    concepts: dict[str, Words]
    unless: dict[str, list[str]]
    """Kind -> concepts beside which its key words do not count."""


@dataclass(frozen=True)
class Hints:
    """``identifiers.yaml``, ready to be looked for.

    Attributes:
        words: key words of the kinds, and of what they do not count beside.
        unless: kind -> concepts beside which its key words do not count.
    """

    words: Lexicon
    unless: Mapping[str, frozenset[str]]

    def of(self, text: str, *, name: bool = False) -> frozenset[str]:
        """Return every concept that a label speaks of, or the name of a column."""
        return self.words.found(normalised(text, name=name)).concepts

    def kept(self, kinds: frozenset[str], spoken: frozenset[str]) -> frozenset[str]:
        """Return the kinds that stand, when name and label speak of the concepts ``spoken``."""
        return frozenset(kind for kind in kinds if not self.unless.get(kind, frozenset()) & spoken)


@cache
def load_hints(version: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> Hints:
    """Read and check ``identifiers.yaml`` of a framework version.

    Raises:
        DefinitionError: D001 to D003, the file is malformed, or ``unless`` names a concept that there is not.
    """
    located = Located((root or project_root()) / "schemas" / version / "identifiers.yaml")
    says = typed(located, IdentifierWords)
    for kind, others in says.unless.items():
        for concept in (kind, *others):
            if concept not in says.concepts:
                where = located.where("unless", kind)
                raise DefinitionError("D002", where=where, problem=f"`{concept}` is not defined")
    return Hints(lexicon(says.concepts), {kind: frozenset(others) for kind, others in says.unless.items()})
