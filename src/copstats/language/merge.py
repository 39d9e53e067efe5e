"""Brings a catalogue up to date with the English texts: the same input gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.catalog import Message as Entry
from babel.messages.pofile import write_po

from copstats.language.catalogue import Key, read_po_file

_MOST_PLACES = 3
_HEADER = """{comment}
msgid ""
msgstr ""
"Project-Id-Version: copstats {domain}\\n"
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""
_COMMENT = "# {domain}. Entries marked fuzzy have not been reviewed by a person: see docs/translations.md."


@dataclass(frozen=True)
class Message:
    """An English text that readers see.

    Attributes:
        msgid: the text.
        place: file in which it stands, relative to its project folder.
        comment: what it is, for translators.
        context: tells it apart from the same words with another translation.
    """

    msgid: str
    place: str
    comment: str
    context: str | None = None

    @property
    def key(self) -> Key:
        """Key of the catalogue."""
        return self.context, self.msgid


def merge_file(path: Path, messages: Iterable[Message], language: str, domain: str) -> bytes:
    """Return the bytes of a catalogue that holds exactly these messages, with the translations at hand.

    Translations of texts that are gone stand at the end, commented out, and serve again if the text comes
    back. A text that changed has no translation: an old one of similar words could say something else. What
    is empty or taken from the end is marked ``fuzzy``.

    Args:
        path: the present catalogue; need not exist.
        messages: in the order of the catalogue; the same text at several places is one entry.
        language: BCP 47.
        domain: what the texts belong to; for the header.
    """
    old = read_po_file(path, language) if path.is_file() else Catalog(locale=language)
    present: dict[Key, Entry] = {(e.context, str(e.id)): e for e in old if e.id}
    retired: dict[Key, Entry] = {(e.context, str(e.id)): e for e in old.obsolete.values()}
    uses: dict[Key, list[Message]] = {}
    for message in messages:
        uses.setdefault(message.key, []).append(message)

    new = Catalog(locale=language)
    for key, places in uses.items():
        entry = present.pop(key, None)
        back = retired.pop(key, None)
        _add(new, places, entry or back, fuzzy=entry is None or entry.fuzzy)
    gone = retired | {key: entry for key, entry in present.items() if entry.string}
    new.obsolete = {_key_text(key): entry for key, entry in gone.items()}

    comment = old.header_comment if path.is_file() else _COMMENT.format(domain=domain)
    return _header(comment, language, domain) + _body(new)


def _add(catalogue: Catalog, uses: Sequence[Message], old: Entry | None, *, fuzzy: bool) -> None:
    first = uses[0]
    files = list(dict.fromkeys(use.place for use in uses))[:_MOST_PLACES]
    translation = str(old.string or "") if old else ""
    entry = catalogue.add(
        first.msgid,
        translation,
        # Line numbers would change with every edit of the source.
        locations=[(file, None) for file in files],  # type: ignore[misc]
        flags=["fuzzy"] if fuzzy or not translation else [],
        auto_comments=[first.comment, *(["used in more than one place"] if len(uses) > 1 else [])],
        user_comments=old.user_comments if old else [],
        context=first.context,
    )
    # Babel takes "5 % of" for a placeholder of the older kind.
    entry.flags.discard("python-format")


def _header(comment: str, language: str, domain: str) -> bytes:
    return _HEADER.format(comment=comment, language=language, domain=domain).encode()


def _body(catalogue: Catalog) -> bytes:
    out = io.BytesIO()
    write_po(out, catalogue, width=0, omit_header=True, include_lineno=False)
    return out.getvalue().rstrip(b"\n") + b"\n"


def _key_text(key: Key) -> str:
    return f"{key[0] or ''}\x04{key[1]}"


def count(messages: Iterable[Message]) -> Mapping[Key, int]:
    """Return the entries that messages make, each with its number of words."""
    return {message.key: len(message.msgid.split()) for message in messages}
