"""Holds what ``changes.yaml`` declares against the two versions that it speaks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from copstats.errors import DefinitionError
from copstats.framework.definitions import RecordKind
from copstats.framework.loader import load_framework
from copstats.framework.located import Located
from copstats.framework.model import Framework
from copstats.framework.versions import (
    FILE,
    RECORDS,
    Changes,
    CodeListChange,
    Level,
    is_at_least,
    load_changes,
    next_number,
)
from copstats.project import project_root


def check_declared(old: str, new: str, root: Path | None = None) -> None:
    """Check the declarations of each step from a version to a later one.

    Raises:
        DefinitionError: D031 to D035, the first that the two versions do not bear out; with file and line.
    """
    version = new
    while version != old:
        changes = load_changes(version, root)
        if changes is None:
            return
        located = Located((root or project_root()) / "schemas" / version / FILE)
        earlier, later = load_framework(changes.follows, root), load_framework(version, root)
        for error in _problems(changes, earlier, later, located):
            raise error
        version = changes.follows


def check_number(old: Framework, new: Framework, level: Level | None) -> None:
    """Check that the version number was raised as the changes ask.

    Args:
        old: the earlier version.
        new: the later version.
        level: the highest level of the changes between them; None if there is none.

    Raises:
        DefinitionError: D036.
    """
    if level is None:
        return
    least = next_number(old.head.version, level)
    if not is_at_least(new.head.version, least):
        raise DefinitionError(
            "D036", where=f"{new.id}/framework.yaml", number=new.head.version, before=old.id, least=least
        )


def _problems(
    changes: Changes, old: Framework, new: Framework, located: Located
) -> Iterator[DefinitionError]:
    for record in RECORDS:
        yield from _renames(changes, old, new, record, located)
        for name in getattr(changes.removed, record):
            if name not in old.variables(record) or name in new.variables(record):
                yield DefinitionError("D033", where=located.where("removed", record, name), name=name)
    for name, change in changes.codelists.items():
        where = located.where("codelists", name)
        before = changes.list_before(name)
        if name not in new.codelists:
            yield DefinitionError("D034", where=where, codelist=name)
        elif before not in old.codelists or (before != name and before in new.codelists):
            yield DefinitionError("D032", where=where, name=name, before=before)
        else:
            known = old.codelists[before].codes.keys(), new.codelists[name].codes.keys()
            for code in _wrong_codes(change, set(known[0]), set(known[1])):
                yield DefinitionError("D035", where=where, codelist=name, number=code)


def _renames(
    changes: Changes, old: Framework, new: Framework, record: RecordKind, located: Located
) -> Iterator[DefinitionError]:
    before, after = old.variables(record), new.variables(record)
    twice = {name for name, count in Counter(changes.renamed(record).values()).items() if count > 1}
    for name, earlier in changes.renamed(record).items():
        fits = name in after and name not in before and earlier in before and earlier not in after
        if not fits or earlier in twice:
            where = located.where(record, name)
            yield DefinitionError("D032", where=where, name=name, before=earlier)


def _wrong_codes(change: CodeListChange, old: set[int], new: set[int]) -> Iterator[int]:
    """Yield codes that do not fit: a source that was no code or stands twice, a target that is none now.

    A target that was a code before must be a source too: else nobody says what became of its own answers.
    """
    sources = Counter(code for merge in change.merged for code in merge.sources)
    sources += Counter(split.source for split in change.split)
    targets = {merge.into for merge in change.merged} | {
        code for split in change.split for code in split.into
    }
    yield from (code for code, count in sources.items() if code not in old or count > 1)
    yield from (code for code in targets if code not in new or (code in old and code not in sources))
    yield from (code for code in sources if code in new and code not in targets)
    for entry in change.added:
        if entry.code not in new or entry.code in old or entry.code in targets:
            yield entry.code
