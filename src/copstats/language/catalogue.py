"""Reads a gettext catalogue and refuses one whose translations would break a sentence."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING

from copstats.errors import DefinitionError

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

_LINE = re.compile(r'\s*|#.*|((msgctxt|msgid|msgstr) )?"([^"\\]|\\.)*"\s*')

Key = tuple[str | None, str]
"""Context (None for most texts) and English text."""


@dataclass(frozen=True)
class Catalogue:
    """Translations of one language.

    Attributes:
        texts: English text -> translation, without empty ones.
        unreviewed: texts whose translation no person has reviewed (flag ``fuzzy``), or that have none.
    """

    texts: Mapping[Key, str]
    unreviewed: frozenset[Key]

    @property
    def reviewed(self) -> bool:
        """Whether a person has reviewed every entry."""
        return bool(self.texts) and not self.unreviewed


@cache
def read_catalogue(path: Path, language: str) -> Catalogue:
    """Read a PO file; one that is not there is an empty catalogue.

    Raises:
        DefinitionError: a translation has other placeholders than its text (D020), the file is not a PO file
            (D021), or it is in another language (D022); names file and line.
    """
    if not path.is_file():
        return Catalogue({}, frozenset())
    texts, unreviewed = {}, set()
    for message in read_po_file(path, language):
        msgid, translation = str(message.id), str(message.string or "")
        if not msgid:
            continue
        key = (message.context, msgid)
        if translation:
            _check_placeholders(msgid, translation, f"{_name(path)}:{message.lineno}")
            texts[key] = translation
        if message.fuzzy or not translation:
            unreviewed.add(key)
    return Catalogue(texts, frozenset(unreviewed))


def read_po_file(path: Path, language: str) -> Catalog:
    """Read a PO file as it stands, obsolete entries and comments included.

    Raises:
        DefinitionError: it is not a PO file (D021), or in another language (D022).
    """
    from babel.messages.pofile import PoFileError, read_po

    try:
        text = path.read_text("utf-8")
        _check_lines(text, _name(path))
        catalogue = read_po(io.StringIO(text), locale=language, abort_invalid=True)
    except UnicodeDecodeError:
        raise DefinitionError("D021", where=_name(path), problem="it is not UTF-8 text") from None
    except PoFileError as problem:
        where = f"{_name(path)}:{problem.lineno + 1}"
        raise DefinitionError("D021", where=where, problem=str(problem)) from None
    found = str(catalogue.locale_identifier)
    if found != language:
        raise DefinitionError("D022", where=_name(path), expected=language, found=found)
    return catalogue


def _check_lines(text: str, name: str) -> None:
    """Refuse what Babel would read without notice.

    A text without its quotes, a translation without its text, or an entry that stands twice.
    """
    seen = set()
    context, msgid = "", ""
    for number, line in enumerate(text.split("\n"), start=1):
        problem = "" if _LINE.fullmatch(line) else "it is not a line of a PO file"
        if line.startswith("msgctxt"):
            context = line
        elif line.startswith("msgid"):
            msgid = line
            if (context, msgid) in seen and msgid != 'msgid ""':
                problem = "the entry stands twice"
            seen.add((context, msgid))
        elif line.startswith("msgstr"):
            problem = problem or ("" if msgid else "a translation without its text")
            context, msgid = "", ""
        if problem:
            raise DefinitionError("D021", where=f"{name}:{number}", problem=problem)


def placeholders(text: str) -> frozenset[str]:
    """Return the placeholders of a text, for example ``{"{count}"}``.

    Raises:
        ValueError: its braces do not match.
    """
    found = set()
    for _, name, spec, conversion in Formatter().parse(text):
        if name is not None:
            found.add(
                "{" + name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "") + "}"
            )
    return frozenset(found)


def _check_placeholders(msgid: str, translation: str, where: str) -> None:
    if "{" not in msgid + translation and "}" not in msgid + translation:
        return
    expected = placeholders(msgid)
    try:
        found = placeholders(translation)
    except ValueError:
        raise DefinitionError("D020", where=where, expected=_list(expected), found="a brace alone") from None
    if found != expected:
        raise DefinitionError("D020", where=where, expected=_list(expected), found=_list(found))


def _list(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _name(path: Path) -> str:
    """Both catalogues of a language have the same file name; the folder tells them apart."""
    return f"{path.parent.name}/{path.name}"
