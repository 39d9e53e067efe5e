"""A crosswalk and a manifest to fill in: what a statistics office writes beside its own data file."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from copstats.framework.definitions import RecordKind
from copstats.framework.export.manifest_skeleton import manifest_lines
from copstats.framework.export.output import write_forms
from copstats.framework.export.selection import KEYS, Item, Selection, select
from copstats.framework.export.words import STATUS, Phrases, code_labels, heading, missing_labels, notices
from copstats.framework.expressions import NOT_APPLICABLE, NOT_ASKED
from copstats.framework.model import Framework
from copstats.language import Translations, translations

CROSSWALK, MANIFEST = "crosswalk.yaml", "manifest.yaml"
COLUMN = "YOUR_COLUMN"
"""Stands for a national column; a check names every one that was left."""
MARK = "# "
"""Taken away from the lines of an entry, it makes the entry count; what is left a comment is a remark."""

_WIDTH = 110
_FEWEST_GROUPS = 4
"""A background variable with so many categories is likely to be grouped from a number."""
_COMMENT_AT = 30
_FROM_MANIFEST = ("country_iso3", "survey_id")
_FROM_DESIGN = ("stratum", "psu", "weight", "fpc_psu", "weight_parent")


def write_crosswalk(
    framework: Framework, target: Path, *, language: str = "en", modules: Sequence[str] | None = None
) -> list[Path]:
    """Write ``crosswalk.yaml`` with an entry for every variable, commented out, and ``manifest.yaml``.

    Each entry tells label, definition, who is asked, and the codes; it is a valid entry of a crosswalk once
    the ``# `` in front of its lines is gone. Every kind of recode (``copy``, ``map``, ``range``, ``sql``,
    ``blank``) and a wording stand at the first variable that they suit. The manifest parses as it is; its
    entries promise the least that they can, and the country code is one that no country has.

    Args:
        framework: the framework version.
        target: a folder.
        language: of the comments (BCP 47); the manifest takes it for the survey's title.
        modules: see `copstats.framework.export.selection.select`; None for all.

    Returns:
        The files written.

    Raises:
        UsageError: U141, no such module; U120, no such language; U142, a file is there that somebody may have
            filled in; U143, the folder is a file.
    """
    words = translations(language, framework.id)
    selection = select(framework, modules)
    wanted = framework.modules if modules is None else modules
    covered = [name for name, m in framework.modules.items() if name in wanted and not m.always]
    crosswalk = [*_introduction(selection, words), *_Skeleton(selection, words).lines()]
    manifest = [
        *_comment([heading(framework, words), *notices(framework, words)]),
        *manifest_lines(selection, covered, words),
    ]
    files = {CROSSWALK: crosswalk, MANIFEST: manifest}
    return write_forms(target, {name: ("\n".join(lines) + "\n").encode() for name, lines in files.items()})


def _introduction(selection: Selection, words: Translations) -> Iterator[str]:
    yield from _comment([heading(selection.framework, words), *notices(selection.framework, words)])
    yield "#"
    yield from _comment(_instructions(words))
    yield f"framework: {selection.framework.id}"


def _instructions(words: Translations) -> Iterator[str]:
    yield words.text(
        "Below stands an entry for every variable, commented out. Take the sign # and the space behind it "
        "away from the lines of the entries that you need, and from the line with the record kind above "
        "them; delete the others."
    )
    yield words.text("Put the name of your column in place of {column}.", column=COLUMN)
    yield words.text("In a map, your code stands before the colon and the framework's behind it.")
    yield words.text(
        "A variable whose column has the name and the codes of the framework needs no entry, unless its "
        "wording differs."
    )
    yield words.text(
        "Say in `wording` how your question differs: class identical, adapted or different. Without it, "
        "values are not taken for comparable."
    )


def _comment(paragraphs: Iterable[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        for line in textwrap.wrap(paragraph, _WIDTH, break_long_words=False, break_on_hyphens=False):
            yield f"# {line}"


class _Skeleton:
    """Writes the entries; remembers which kinds of recode have been shown."""

    def __init__(self, selection: Selection, words: Translations) -> None:
        self._selection = selection
        self._framework = selection.framework
        self._words = words
        self._shown: set[str] = set()

    def lines(self) -> Iterator[str]:
        for record in self._selection.records:
            yield ""
            for line in self._record(record):
                yield f"{MARK}{line}".rstrip()

    def _record(self, record: RecordKind) -> Iterator[str]:
        yield f"{record}:"
        phrases = Phrases(self._framework, self._framework.variables(record), self._words)
        items = self._selection.of(record)
        for before, item in zip([None, *items], items, strict=False):
            if before is None or before.module is not item.module:
                yield ""
                yield f"  # ---- {self._words.text(item.module.title)} ({item.module.module})"
            yield ""
            yield from self._remarks(item, phrases)
            yield from self._entry(item)

    def _remarks(self, item: Item, phrases: Phrases) -> Iterator[str]:
        variable, words = item.variable, self._words
        status = words.text(STATUS[variable.status])
        remarks = [f"{words.text(variable.label)}. {status}."]
        if variable.definition:
            remarks.append(words.text(variable.definition))
        if item.universe is not None:
            asked = words.text("Asked of: {universe}.", universe=phrases.universe(item.universe))
            remarks.append(f"{asked} ({variable.universe})")
        if variable.recall:
            remarks.append(words.text("Recall period: {period}.", period=words.text(variable.recall)))
        remarks += self._advice(item)
        for remark in remarks:
            for line in textwrap.wrap(remark, _WIDTH - 4, break_long_words=False, break_on_hyphens=False):
                yield f"  # {line}"

    def _advice(self, item: Item) -> Iterator[str]:
        words = self._words
        if item.variable.series:
            yield words.text(
                "No entry is needed: the manifest names these columns in design.replicate_weights."
            )
        elif item.name in _FROM_MANIFEST:
            yield words.text("Filled in from the manifest where there is no such column.")
        elif item.name in _FROM_DESIGN:
            yield words.text(
                "Taken from the column that design names in the manifest; an entry here comes before it."
            )

    def _entry(self, item: Item) -> Iterator[str]:
        if item.variable.series:
            return
        yield f"  {item.name}:"
        for line in self._recode(item):
            yield f"    {line}"
        yield from (f"    {line}" for line in self._blank_and_wording(item))

    def _recode(self, item: Item) -> Iterator[str]:
        variable = item.variable
        codes = code_labels(self._framework, variable, self._words)
        if item.name == KEYS[item.record] and self._first("sql"):
            yield _with_comment(
                "sql: HOUSEHOLD || '-' || LINE", self._words.text("one expression over columns")
            )
            return
        yield f"source: {COLUMN}"
        if variable.role == "dimension" and len(codes) >= _FEWEST_GROUPS and self._first("range"):
            yield from self._range(codes)
        elif codes:
            yield from self._map(item, codes)
        else:
            comment = self._words.text("the values as they stand") if self._first("copy") else ""
            yield _with_comment("copy: true", comment)

    def _range(self, codes: dict[int, str]) -> Iterator[str]:
        yield _with_comment(
            "range:", self._words.text("both ends belong to the range; these limits are examples")
        )
        *_, last = codes
        for number, (code, label) in enumerate(codes.items()):
            lower = f", from: {10 * number}" if number else ""
            upper = f", to: {10 * number + 9}" if code != last else ""
            yield _with_comment(f"  - {{code: {code}{lower}{upper}}}", label)

    def _map(self, item: Item, codes: dict[int, str]) -> Iterator[str]:
        missing = [code for code in self._selection.missing_codes(item) if code != NOT_ASKED]
        if item.universe is None and not item.variable.skipped_elsewhere:
            missing = [code for code in missing if code != NOT_APPLICABLE]
        comment = self._words.text("your code: code of the framework") if self._first("map") else ""
        yield _with_comment("map:", comment)
        for code, label in (codes | missing_labels(self._framework, missing, self._words)).items():
            yield _with_comment(f"  {code}: {code}", label)

    def _blank_and_wording(self, item: Item) -> Iterator[str]:
        """Yield what may stand beside a recode: an example once, afterwards a line to be uncommented."""
        if item.universe is not None:
            if self._first("blank"):
                comment = self._words.text("code of an empty cell; without it, empty cells are errors")
                yield _with_comment(f"blank: {NOT_APPLICABLE}", comment)
            else:
                yield f"# blank: {NOT_APPLICABLE}"
        if item.variable.role == "measure":
            if self._first("wording"):
                yield "wording:"
                yield _with_comment("  class: different", "identical, adapted, different")
                yield _with_comment(
                    "  # recall: 6 months", self._words.text("if it is not that of the framework")
                )
                yield _with_comment("  # scale: collapsible", "identical, collapsible, different")
                yield _with_comment(
                    "  # asked_of: everyone", self._words.text("if your filter was not applied")
                )
                yield _with_comment("  # text: ...", self._words.text("the national wording"))
            else:
                yield "# wording: {class: adapted}"

    def _first(self, kind: str) -> bool:
        if kind in self._shown:
            return False
        self._shown.add(kind)
        return True


def _with_comment(line: str, comment: str) -> str:
    return f"{line:<{_COMMENT_AT}}  # {comment}" if comment else line
