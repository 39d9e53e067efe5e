"""XML with texts in several languages: the same content gives the same bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from copstats.language import LANGUAGES, Translations, translations

Names = Mapping[str, str]
"""Language (BCP 47) -> text."""


def wordings(framework_id: str, first: str = "en") -> list[Translations]:
    """Return the texts of a framework version in every language; ``first`` leads.

    Raises:
        UsageError: U120, no such language.
    """
    codes = dict.fromkeys((first, *LANGUAGES))
    return [translations(code, framework_id) for code in codes]


def names(words: Sequence[Translations], msgid: str, context: str | None = None) -> dict[str, str]:
    """Return language -> text, for the languages that have a translation."""
    return {w.language: w.text(msgid, context) for w in words if _translated(w, msgid, context)}


def phrases(
    words: Sequence[Translations], say: Callable[[Translations], str | None], *needed: str
) -> dict[str, str]:
    """Return language -> what ``say`` puts together, for the languages that have the ``needed`` texts."""
    spoken = [w for w in words if all(_translated(w, msgid, None) for msgid in needed)]
    return {w.language: text for w in spoken if (text := say(w))}


def _translated(words: Translations, msgid: str, context: str | None) -> bool:
    keys = ((context, msgid), (None, msgid))
    return words.language == "en" or any(key in c.texts for c in words.catalogues for key in keys)


def add(parent: Element, tag: str, text: str | None = None, /, **attributes: str | None) -> Element:
    """Append an element; attributes that are None are left out.

    Args:
        parent: the element above.
        tag: name with the prefix that the document declares.
        text: its content.
        attributes: a trailing underscore is dropped (``class_``), ``xml_lang`` stands for ``xml:lang``.
    """
    given = {_attribute(name): value for name, value in attributes.items() if value is not None}
    element = SubElement(parent, tag, given)
    element.text = text
    return element


def _attribute(name: str) -> str:
    return "xml:lang" if name == "xml_lang" else name.rstrip("_")


def add_names(parent: Element, tag: str, texts: Names, /, **attributes: str | None) -> None:
    """Append one element a language."""
    for language, text in texts.items():
        add(parent, tag, text, **attributes, xml_lang=language)


def document(root: Element) -> bytes:
    """Return the document, indented, in UTF-8."""
    indent(root)
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content + b"\n"
