"""Finds every text that readers see, and brings the catalogues up to date with them.

``python -m copstats.framework.translation update`` (``make translations``) rewrites the catalogues;
``status`` counts their entries.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from babel.messages.extract import extract_from_dir

from copstats.framework.areas import load_areas
from copstats.framework.loader import DEFAULT_FRAMEWORK, frameworks
from copstats.framework.located import Located, Place
from copstats.language.catalogue import read_catalogue
from copstats.language.merge import Message, count, merge_file
from copstats.language.translations import (
    AREA,
    LANGUAGES,
    SOURCE_LANGUAGE,
    framework_catalogue,
    locale_area_name,
    program_catalogue,
)
from copstats.project import project_root

TEXT_KEYS = frozenset(
    {"title", "label", "definition", "notice", "note", "text", "item", "pillar", "evidence", "recall", "sign"}
    | {"what", "why", "fix", "hint"}
)
"""Keys under which a text for readers stands; others hold names, codes, predicates, citations."""

SEVERAL_MEANINGS = frozenset({"None", "Other"})
"""Code labels that other languages write differently from one code list to the next."""

_PACKAGE = Path(__file__).resolve().parents[1]
_A_WORD = re.compile(r"[A-Za-z]{2,}")
_PROSE = re.compile(r"[A-Z ]")


def framework_messages(framework_id: str = DEFAULT_FRAMEWORK, root: Path | None = None) -> list[Message]:
    """Return the texts of a framework version and of the indicators, in the order of their files.

    Args:
        framework_id: folder name under ``schemas/``.
        root: folder that holds ``schemas/`` and ``indicators/``; the project's own by default.

    Raises:
        DefinitionError: a file cannot be read.
    """
    base = root or project_root()
    folder = base / "schemas" / framework_id
    files = [(path, folder) for path in sorted(folder.rglob("*.yaml"))]
    files += [(path, base) for path in sorted((base / "indicators").rglob("*.yaml"))]
    return [message for path, above in files for message in _file_messages(path, above)]


def program_messages() -> list[Message]:
    """Return the texts of the program: errors, published codes, areas, and what the code marks.

    In the code and in templates, a literal passed to ``N_`` or to ``Translations.text`` is such a text.
    """
    out: list[Message] = []
    for path in sorted((_PACKAGE / "messages" / "errors").glob("*.yaml")):
        out += _file_messages(path, _PACKAGE)
    return [*out, *_code_messages(), *_area_messages()]


def _file_messages(path: Path, above: Path) -> Iterator[Message]:
    place = path.relative_to(above).as_posix()
    for at, text in _texts(Located(path).data):
        context = str(at[0]) if path.name == "codelists.yaml" and text in SEVERAL_MEANINGS else None
        yield Message(text, place, ".".join(str(key) for key in at), context)


def _texts(data: Any, at: Place = ()) -> Iterator[tuple[Place, str]]:
    if isinstance(data, dict):
        for key, value in data.items():
            if not isinstance(value, str):
                yield from _texts(value, (*at, key))
            elif key in TEXT_KEYS and _A_WORD.search(value):
                yield (*at, key), value
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _texts(value, (*at, number))


def _code_messages() -> list[Message]:
    # The store has no texts, but SQLAlchemy's text().
    found = [*_marked("N_"), *filter(_is_text, _marked("text", ("store/**", "ignore")))]
    return sorted(found, key=lambda message: message.place)


def _is_text(message: Message) -> bool:
    # In Python `text` is also what others call a method that reads a key: one word in lower case.
    return message.place.endswith(".jinja") or bool(_PROSE.search(message.msgid))


def _marked(function: str, *leave_out: tuple[str, str]) -> Iterator[Message]:
    found = extract_from_dir(
        _PACKAGE,
        method_map=[
            ("project/**", "ignore"),
            *leave_out,
            ("**.py", "python"),
            ("**.jinja", "jinja2.ext:babel_extract"),
        ],
        keywords={function: None},
    )
    for file, _, msgid, _, _ in found:
        yield Message(str(msgid), Path(file).as_posix(), "in the code")


def _area_messages() -> Iterator[Message]:
    for area in load_areas().values():
        if locale_area_name(area.code, SOURCE_LANGUAGE) != area.name:
            yield Message(
                area.name, "schemas/areas.csv", f"official name of {area.code} in the United Nations", AREA
            )


def catalogues() -> Iterator[tuple[str, str, Path, list[Message]]]:
    """Yield language, domain, path and messages of every catalogue that there shall be."""
    domains: dict[str, list[Message]] = {name: framework_messages(name) for name in frameworks()}
    program = program_messages()
    for language in LANGUAGES:
        if language == SOURCE_LANGUAGE:
            continue
        for name, messages in domains.items():
            yield language, name, framework_catalogue(name, language), messages
        yield language, "program", program_catalogue(language), program


def update() -> list[Path]:
    """Bring all catalogues up to date; return those that changed."""
    changed = []
    for language, domain, path, messages in catalogues():
        merged = merge_file(path, messages, language, domain)
        if not path.is_file() or path.read_bytes() != merged:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(merged)
            changed.append(path)
    return changed


def status() -> Iterator[str]:
    """Yield one line a catalogue: entries, words, missing and unreviewed translations."""
    yield f"{'language':<10}{'catalogue':<14}{'entries':>9}{'words':>9}{'missing':>9}{'unreviewed':>12}"
    for language, domain, path, messages in catalogues():
        entries = count(messages)
        there = read_catalogue(path, language)
        missing = entries.keys() - there.texts.keys()
        unreviewed = (entries.keys() & there.unreviewed) - missing
        row = f"{len(entries):>9}{sum(entries.values()):>9}{len(missing):>9}{len(unreviewed):>12}"
        yield f"{language:<10}{domain:<14}{row}"


def main(arguments: Sequence[str]) -> None:
    """Run ``update`` or ``status``."""
    parser = argparse.ArgumentParser(prog="python -m copstats.framework.translation", description=__doc__)
    parser.add_argument("command", choices=["update", "status"])
    if parser.parse_args(arguments).command == "update":
        update()
    sys.stdout.writelines(f"{line}\n" for line in status())


if __name__ == "__main__":
    main(sys.argv[1:])
