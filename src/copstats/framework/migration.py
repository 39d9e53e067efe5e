"""Carries a crosswalk from one version of the framework to a later one; nothing is dropped in silence."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from copstats.errors import UsageError
from copstats.framework.definitions import RecordKind
from copstats.framework.difference import Difference
from copstats.framework.located import Located
from copstats.framework.recoding import Entry, Recode, recode_of, write
from copstats.framework.rewriting import YamlText, entries, value_of
from copstats.framework.versions import RECORDS
from copstats.language.translations import N_, Translations

Kind = Literal[
    "renamed",
    "retired",
    "recoded",
    "recall_kept",
    "rename_by_hand",
    "recode_by_hand",
    "recall_by_hand",
    "split",
    "gone",
    "look_at",
    "new",
]
Columns = Mapping[RecordKind, Collection[str]]

_DONE: dict[Kind, str] = {
    "renamed": N_("{variable}: its name was {detail}."),
    "retired": N_("{variable}: not part of the framework any more; the entry is a comment now."),
    "recoded": N_("{variable}: codes converted, {detail}."),
    "recall_kept": N_(
        "{variable}: the framework's recall period changed; the entry says {detail}, as asked."
    ),
}
_TO_DO: dict[Kind, str] = {
    "rename_by_hand": N_(
        "{variable}: its name was {detail}. If your file has a column {detail}, name it under source."
    ),
    "recode_by_hand": N_("{variable}: codes changed and were not converted, {detail}. Write a map."),
    "recall_by_hand": N_(
        "{variable}: the framework's recall period changed. If asked, say recall: {detail} under wording."
    ),
    "split": N_("{variable}: codes were split, {detail}. Decide which answers belong to which code."),
    "gone": N_("{variable}: codes have no successor, {detail}. Decide what becomes of these answers."),
    "look_at": N_(
        "{variable}: {detail} changed in the framework. Hold it against your questionnaire and file."
    ),
    "new": N_("{variable}: new. Name its source, or list it under not_asked in the manifest."),
}


@dataclass(frozen=True)
class Note:
    """What was done about a variable, or what is left to do.

    Attributes:
        kind: key of the sentence.
        variable: with its record kind, under its present name (``child.rct_met``).
        detail: names and codes of the framework only.
    """

    kind: Kind
    variable: str
    detail: str = ""

    @property
    def open(self) -> bool:
        """Whether a person has to decide."""
        return self.kind in _TO_DO

    def text(self, translations: Translations) -> str:
        """Return the note as a sentence."""
        sentence = (_DONE | _TO_DO)[self.kind]
        return translations.text(sentence, variable=self.variable, detail=self.detail)


@dataclass(frozen=True)
class Migration:
    """A crosswalk that follows the later version.

    Attributes:
        text: the crosswalk.
        notes: all that was done and all that is left to do.
    """

    text: str
    notes: tuple[Note, ...]

    @property
    def open(self) -> tuple[Note, ...]:
        """What a person has to decide before the crosswalk is used."""
        return tuple(note for note in self.notes if note.open)


def migrate_crosswalk(
    crosswalk: str | Path, difference: Difference, columns: Columns | None = None
) -> Migration:
    """Carry a crosswalk over.

    Renamed variables get their new names and keep their columns; codes that were merged or renumbered are
    converted; entries of variables that are gone become comments; where the framework's recall period
    changed, the entry says what was asked. Comments and layout stay.

    Args:
        crosswalk: the text of ``crosswalk.yaml``, or its path.
        difference: the difference between the version that it follows and the later one.
        columns: names of the columns of the national files. A variable without an entry is fed by the column
            of its own name; only with ``columns`` is it known whether there is one, and an entry written.

    Raises:
        DefinitionError: D001 or D003, the text is not YAML, or a key stands twice.
        UsageError: U133, the crosswalk follows another version.
    """
    path = crosswalk if isinstance(crosswalk, Path) else Path("crosswalk.yaml")
    text = crosswalk.read_text("utf-8-sig") if isinstance(crosswalk, Path) else crosswalk
    located = Located(path, content=text.encode())
    found = located.data.get("framework") if isinstance(located.data, dict) else None
    if found != difference.old.id:
        where = located.where("framework")
        raise UsageError("U133", where=where, found=str(found), expected=difference.old.id)
    document = YamlText(text)
    document.replace(value_of(document.root, "framework"), difference.new.id)
    notes: list[Note] = []
    for record in RECORDS:
        named = None if columns is None else {name.lower() for name in columns.get(record, ())}
        notes += _Record(document, difference, record, named).migrate()
    return Migration(document.edited(), tuple(notes))


@dataclass
class _Record:
    """Migrates the entries of one record kind."""

    document: YamlText
    difference: Difference
    record: RecordKind
    columns: set[str] | None
    notes: list[Note] = field(default_factory=list)

    def migrate(self) -> list[Note]:
        old, new = self.difference.old.variables(self.record), self.difference.new.variables(self.record)
        key, mapping = entries(self.document.root).get(self.record, (None, None))
        there = entries(mapping)
        before = self.difference.declared.renamed(self.record)
        added = []
        for name, variable in new.items():
            earlier = before.get(name, name)
            if earlier not in old:
                if variable.status != "optional":
                    self._note("new", name)
            elif earlier in there:
                self._present(name, earlier, *there[earlier])
            else:
                added += self._absent(name, earlier)
        gone = [name for name in there if name in old and name not in new and name not in before.values()]
        if gone:
            remark = f"not in {self.difference.new.id}:"
            self.document.retire(key, mapping, gone, remark, filled=bool(added))
            for name in gone:
                self._note("retired", name)
        self._add(mapping, added)
        return self.notes

    def _note(self, kind: Kind, name: str, detail: str = "") -> None:
        self.notes.append(Note(kind, f"{self.record}.{name}", detail))

    def _present(self, name: str, earlier: str, key: Any, mapping: Any) -> None:
        """Migrate an entry of the crosswalk."""
        given = entries(mapping)
        first = []
        if name != earlier:
            self.document.replace(key, name)
            self._note("renamed", name, earlier)
            if "source" not in given and "sql" not in given:
                first.append(f"source: {earlier}")
        recode = recode_of(self.difference, self.record, earlier, name)
        if recode:
            first += self._recode(name, given, recode)
        recall = self._recall_before(name, earlier)
        if recall is not None and "wording" in given:
            # Without a recall period of its own, the entry would claim the framework's new one.
            wording = given["wording"][1]
            if "recall" not in entries(wording):
                self.document.insert_first(wording, [f"recall: {json.dumps(recall)}"])
                self._note("recall_kept", name, recall)
        self.document.insert_first(mapping, first)
        self._look_at(name)

    def _absent(self, name: str, earlier: str) -> list[str]:
        """Return an entry for a variable that has none, where its own column no longer feeds it as before."""
        recode = recode_of(self.difference, self.record, earlier, name)
        recall = self._recall_before(name, earlier)
        if self.columns is not None and earlier.lower() not in self.columns:
            return []
        self._look_at(name)
        if name == earlier and not recode and recall is None:
            return []
        if self.columns is None:
            self._advise(name, earlier, recode, recall)
            return []
        if name != earlier:
            self._note("renamed", name, earlier)
        parts = [f"source: {earlier}", *(self._recode(name, {}, recode) if recode else [])]
        # No entry meant that names, codes and wording are the framework's own.
        wording = "class: identical"
        if recall is not None:
            wording += f", recall: {json.dumps(recall)}"
            self._note("recall_kept", name, recall)
        return [f"{name}: {{{', '.join(parts)}, wording: {{{wording}}}}}"]

    def _recode(self, name: str, given: Entry, recode: Recode) -> list[str]:
        """Convert codes, note it, and return the entries to be added."""
        written = write(self.document, given, recode)
        if written.used & recode.moved.keys():
            self._note("recoded" if written.done else "recode_by_hand", name, recode.text())
        if written.used & recode.split.keys():
            self._note("split", name, recode.text())
        if written.used & recode.gone:
            self._note("gone", name, recode.text())
        return written.added

    def _advise(self, name: str, earlier: str, recode: Recode, recall: str | None) -> None:
        if name != earlier:
            self._note("rename_by_hand", name, earlier)
        if recode:
            self._note("recode_by_hand", name, recode.text())
        if recall is not None:
            self._note("recall_by_hand", name, recall)

    def _recall_before(self, name: str, earlier: str) -> str | None:
        """Return the framework's former recall period, if it changed."""
        before = self.difference.old.variables(self.record)[earlier].recall
        return before if before != self.difference.new.variables(self.record)[name].recall else None

    def _look_at(self, name: str) -> None:
        for change in self.difference.changes:
            own = change.name == f"{self.record}.{name}" and change.action == "changed"
            if own and change.consequence.crosswalk and change.subject != "recall":
                self._note("look_at", name, change.part or "")

    def _add(self, mapping: Any, added: list[str]) -> None:
        if mapping is not None:
            self.document.insert_first(mapping, added)
        elif added:
            self.document.append(
                "".join(f"{line}\n" for line in [f"{self.record}:", *map("  {}".format, added)])
            )
