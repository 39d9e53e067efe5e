"""Joins what several versions declare, one after the other, into one step."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from copstats.errors import UsageError
from copstats.framework.definitions import RecordKind
from copstats.framework.versions import (
    RECORDS,
    Changes,
    CodeListChange,
    Merge,
    NewCode,
    Removal,
    Removals,
    Split,
    VariableChange,
    load_changes,
)


def changes_between(old: str, new: str, root: Path | None = None) -> Changes:
    """Return what the versions after ``old``, up to ``new``, declare, as one step.

    Raises:
        UsageError: U132, ``new`` does not come after ``old``.
        DefinitionError: as :func:`load_changes`.
    """
    steps: list[Changes] = []
    version = new
    while version != old:
        step = load_changes(version, root)
        if step is None:
            raise UsageError("U132", old=old, new=new)
        steps.insert(0, step)
        version = step.follows
    if not steps:
        return Changes(follows=old)
    return _joined(steps)


def _joined(steps: Iterable[Changes]) -> Changes:
    first, *rest = steps
    for step in rest:
        first = _both(first, step)
    return first


def _both(first: Changes, second: Changes) -> Changes:
    names = {record: _renames(first, second, record) for record in RECORDS}
    removed = {
        record: getattr(first.removed, record)
        | _under_first_names(getattr(second.removed, record), first.renamed(record))
        for record in RECORDS
    }
    lists = {name: second.list_before(name) for name in second.codelists}
    lists |= {name: name for name in first.codelists if name not in lists.values()}
    return Changes(
        follows=first.follows,
        child=names["child"],
        parent=names["parent"],
        removed=Removals(**removed),
        codelists={
            name: _codelist(
                first.codelists.get(middle, CodeListChange()), second.codelists.get(name, CodeListChange())
            )
            for name, middle in lists.items()
        },
    )


def _renames(first: Changes, second: Changes, record: RecordKind) -> dict[str, VariableChange]:
    before: dict[str, VariableChange] = getattr(first, record)
    after: dict[str, VariableChange] = getattr(second, record)
    gone = {change.renamed_from for change in after.values()} | getattr(second.removed, record).keys()
    kept = {name: change for name, change in before.items() if name not in gone}
    for name, change in after.items():
        earlier = before.get(change.renamed_from)
        kept[name] = VariableChange(
            renamed_from=earlier.renamed_from if earlier else change.renamed_from,
            note=_notes([earlier.note if earlier else None, change.note]) or None,
        )
    return kept


def _under_first_names(removed: dict[str, Removal], renamed: dict[str, str]) -> dict[str, Removal]:
    return {renamed.get(name, name): removal for name, removal in removed.items()}


def _codelist(first: CodeListChange, second: CodeListChange) -> CodeListChange:
    """Follow each code through both steps; one that the first step made has no code before."""
    one, two = _fates(first), _fates(second)
    new = {entry.code: entry for entry in first.added}
    created = {code for codes, _ in one.values() for code in codes} | new.keys()
    fates = {code: _through(fate, two) for code, fate in one.items()}
    fates |= {code: fate for code, fate in two.items() if code not in created}
    added = [
        NewCode(code=c, note=entry.note)
        for code, entry in new.items()
        for c in two.get(code, ((code,), ""))[0]
    ]
    merges: dict[int, list[int]] = {}
    for code, (codes, _) in fates.items():
        if len(codes) == 1:
            merges.setdefault(codes[0], []).append(code)
    return CodeListChange(
        renamed_from=first.renamed_from or second.renamed_from,
        merged=[
            Merge(sources=sources, into=into, note=_notes(fates[code][1] for code in sources))
            for into, sources in merges.items()
            if sources != [into]
        ],
        split=[
            Split(source=code, into=list(codes), note=note)
            for code, (codes, note) in fates.items()
            if len(codes) > 1
        ],
        added=[*added, *second.added],
    )


_Fate = tuple[tuple[int, ...], str]


def _fates(change: CodeListChange) -> dict[int, _Fate]:
    merged: dict[int, _Fate] = {
        code: ((merge.into,), merge.note) for merge in change.merged for code in merge.sources
    }
    return merged | {split.source: (tuple(split.into), split.note) for split in change.split}


def _through(fate: _Fate, then: dict[int, _Fate]) -> _Fate:
    codes, note = fate
    reached = [then.get(code, ((code,), "")) for code in codes]
    last = dict.fromkeys(code for codes_then, _ in reached for code in codes_then)
    return tuple(last), _notes([note, *(note_then for _, note_then in reached)])


def _notes(notes: Iterable[str | None]) -> str:
    return " ".join(dict.fromkeys(note for note in notes if note))
