"""Versions of a framework: identifiers, order, and what ``changes.yaml`` declares.

Two numbers tell a version. Its *identifier* (``cop-2026``, then ``cop-2026.1``) is the folder's name and what
a submission follows. Its *version number* (Semantic Versioning 2.0.0) says what the step means: major where
values are no longer comparable or a survey must collect something new, minor where something is added or a
crosswalk has to change, patch where only words differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from msgspec import field

from copstats.errors import DefinitionError, UsageError
from copstats.framework.definitions import Definition, RecordKind, VariableName
from copstats.framework.loader import frameworks
from copstats.framework.located import Located
from copstats.framework.typed import typed
from copstats.project import project_root

FILE = "changes.yaml"
RECORDS: tuple[RecordKind, ...] = ("child", "parent")
LEVELS: tuple[Level, ...] = ("patch", "minor", "major")
"""Steps of a version number, the smallest first."""

Level = Literal["patch", "minor", "major"]
_ID = re.compile(r"([a-z]+)-([0-9]{4})(?:\.([0-9]+))?")


@dataclass(frozen=True, order=True)
class VersionId:
    """Identifier of a version, in the order of time: ``cop-2026`` < ``cop-2026.1`` < ``cop-2027``.

    Attributes:
        family: what stands before the year.
        year: of the first edition.
        revision: 0 where the identifier names none.
    """

    family: str
    year: int
    revision: int = 0

    @classmethod
    def parse(cls, text: str) -> VersionId:
        """Read an identifier.

        Raises:
            UsageError: U130, it has another form.
        """
        found = _ID.fullmatch(text)
        if found is None:
            raise UsageError("U130", version=text)
        return cls(found[1], int(found[2]), int(found[3] or 0))

    def __str__(self) -> str:
        return f"{self.family}-{self.year}" + (f".{self.revision}" if self.revision else "")


class VariableChange(Definition, frozen=True, kw_only=True):
    """A variable that bore another name in the version before."""

    renamed_from: VariableName
    note: str | None = None


class Removal(Definition, frozen=True, kw_only=True):
    """Why something is no longer there."""

    note: str


class Merge(Definition, frozen=True, kw_only=True, rename={"sources": "from"}):
    """Codes of the version before that are one code now; with a single source, a new number of a code."""

    sources: list[int]
    into: int
    note: str


class Split(Definition, frozen=True, kw_only=True, rename={"source": "from"}):
    """A code of the version before whose answers fall under several codes now."""

    source: int
    into: list[int]
    note: str


class NewCode(Definition, frozen=True, kw_only=True):
    """A code for answers that no code of the version before held."""

    code: int
    note: str


class CodeListChange(Definition, frozen=True, kw_only=True):
    """What became of a code list and of its codes."""

    renamed_from: str | None = None
    merged: list[Merge] = field(default_factory=list)
    split: list[Split] = field(default_factory=list)
    added: list[NewCode] = field(default_factory=list)


class Removals(Definition, frozen=True, kw_only=True):
    """Variables that are no longer there, by record kind."""

    child: dict[VariableName, Removal] = field(default_factory=dict)
    parent: dict[VariableName, Removal] = field(default_factory=dict)


class Changes(Definition, frozen=True, kw_only=True):
    """``changes.yaml``: what no comparison of two versions can find out by itself."""

    follows: str
    """Identifier of the version before."""
    child: dict[VariableName, VariableChange] = field(default_factory=dict)
    parent: dict[VariableName, VariableChange] = field(default_factory=dict)
    removed: Removals = field(default_factory=Removals)
    codelists: dict[str, CodeListChange] = field(default_factory=dict)

    def renamed(self, record: RecordKind) -> dict[str, str]:
        """Return new name -> name before, of the variables of a record kind."""
        entries: dict[str, VariableChange] = getattr(self, record)
        return {name: change.renamed_from for name, change in entries.items()}

    def list_before(self, name: str) -> str:
        """Return the name that a code list bore before."""
        change = self.codelists.get(name)
        return change.renamed_from if change is not None and change.renamed_from is not None else name

    def recoded(self, codelist: str) -> dict[int, tuple[int, ...]]:
        """Return code before -> codes now, of the codes whose fate is declared."""
        change = self.codelists.get(codelist, CodeListChange())
        merged = {code: (merge.into,) for merge in change.merged for code in merge.sources}
        return merged | {split.source: tuple(split.into) for split in change.split}


def newest(family: str = "cop", root: Path | None = None) -> str:
    """Return the identifier of the newest version at hand.

    Raises:
        UsageError: U131, there is none of this family.
    """
    found = [
        VersionId.parse(name)
        for name in frameworks(root)
        if _ID.fullmatch(name) and name.startswith(f"{family}-")
    ]
    if not found:
        raise UsageError("U131", family=family)
    return str(max(found))


def load_changes(version: str, root: Path | None = None) -> Changes | None:
    """Read what a version declares of its step from the one before; None for a first version.

    Args:
        version: folder name under ``schemas/``.
        root: folder that holds ``schemas/``; the project's own by default.

    Raises:
        DefinitionError: D001 to D003, or D031 if the version that it follows is not at hand or not older.
    """
    path = (root or project_root()) / "schemas" / version / FILE
    if not path.is_file():
        return None
    located = Located(path)
    changes = typed(located, Changes)
    known = frameworks(root)
    if changes.follows not in known or VersionId.parse(changes.follows) >= VersionId.parse(version):
        where = located.where("follows")
        raise DefinitionError("D031", where=where, version=version, follows=changes.follows)
    return changes


def next_number(number: str, level: Level) -> str:
    """Return the version number that a step of this level leads to: 1.2.3 and minor give 1.3.0."""
    major, minor, patch = (int(part) for part in number.split("."))
    match level:
        case "major":
            return f"{major + 1}.0.0"
        case "minor":
            return f"{major}.{minor + 1}.0"
        case _:
            return f"{major}.{minor}.{patch + 1}"


def is_at_least(number: str, least: str) -> bool:
    """Whether a version number is as high as another."""
    one, other = ([int(part) for part in text.split(".")] for text in (number, least))
    return one >= other
