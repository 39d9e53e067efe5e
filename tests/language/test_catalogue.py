from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from copstats.errors import DefinitionError
from copstats.language.catalogue import placeholders, read_catalogue

Write = Callable[..., Path]


def test_translations_flags_and_contexts_are_read(catalogue_file: Write) -> None:
    path = catalogue_file(
        'msgid "Yes"\nmsgstr "Oui"\n\n'
        '#, fuzzy\nmsgid "No"\nmsgstr "Non"\n\n'
        'msgctxt "CL_MODE"\nmsgid "Other"\nmsgstr "Autre mode"\n\n'
        'msgid "Empty"\nmsgstr ""\n\n'
        '#~ msgid "Gone"\n#~ msgstr "Disparu"\n'
    )
    read = read_catalogue(path, "fr")
    assert read.texts == {(None, "Yes"): "Oui", (None, "No"): "Non", ("CL_MODE", "Other"): "Autre mode"}
    assert read.unreviewed == {(None, "No"), (None, "Empty")}
    assert not read.reviewed


def test_a_catalogue_without_open_entries_is_reviewed(catalogue_file: Write) -> None:
    assert read_catalogue(catalogue_file('msgid "Yes"\nmsgstr "Oui"\n'), "fr").reviewed


def test_an_absent_catalogue_is_empty_and_not_reviewed(tmp_path: Path) -> None:
    read = read_catalogue(tmp_path / "fr.po", "fr")
    assert read.texts == {}
    assert not read.reviewed


@pytest.mark.parametrize(
    ("translation", "found"),
    [
        ("{nombre} cellules de {variable}", "{nombre}, {variable}"),
        ("cellules", "none"),
        ("{count} cellules", "{count}"),
        ("{count} cellules de {variable} ({label})", "{count}, {label}, {variable}"),
        ("{count:>9} cellules de {variable}", "{count:>9}, {variable}"),
        ("{count.__class__} cellules de {variable}", "{count.__class__}, {variable}"),
        ("{count cellules de {variable}", "a brace alone"),
        ("count} cellules de {variable}", "a brace alone"),
    ],
)
def test_other_placeholders_are_refused_with_file_and_line(
    catalogue_file: Write, translation: str, found: str
) -> None:
    good = 'msgid "Yes"\nmsgstr "Oui"\n\n'
    path = catalogue_file(
        f'{good}#. a comment\nmsgid "{{count}} cells of {{variable}}"\nmsgstr "{translation}"\n'
    )
    with pytest.raises(DefinitionError) as caught:
        read_catalogue(path, "fr")
    assert caught.value.code == "D020"
    assert caught.value.where == "translations/fr.po:11"
    assert caught.value.params == {"expected": "{count}, {variable}", "found": found}
    assert found in str(caught.value)


def test_placeholders_may_change_their_order(catalogue_file: Write) -> None:
    path = catalogue_file('msgid "{count} of {total}"\nmsgstr "sur {total}, {count}"\n')
    assert (None, "{count} of {total}") in read_catalogue(path, "fr").texts


@pytest.mark.parametrize(
    ("entries", "where"),
    [
        ('msgid "Yes"\nmsgstr Oui"\n', "translations/fr.po:8"),
        ('msgid "Yes"\nmsgstr "Oui\n', "translations/fr.po:8"),
        ('msgid "Yes"\nmsgstr "O"ui"\n', "translations/fr.po:8"),
        ('msgid "Yes"\nmsgstr "Oui"\n\n<<<<<<< HEAD\n', "translations/fr.po:10"),
        ('msgid "Yes"\nmsgstr "Oui"\n\nmsgid "Yes"\nmsgstr "Si"\n', "translations/fr.po:10"),
        ('msgid "Yes"\n', "translations/fr.po"),
        ('msgstr "Yes"\n', "translations/fr.po"),
    ],
)
def test_a_broken_file_is_refused_with_its_line(catalogue_file: Write, entries: str, where: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        read_catalogue(catalogue_file(entries), "fr")
    assert caught.value.code == "D021"
    assert caught.value.where.startswith(where)


def test_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fr.po"
    path.write_bytes('msgid ""\nmsgstr ""\n\nmsgid "Yes"\nmsgstr "Évidemment"\n'.encode("cp1252"))
    with pytest.raises(DefinitionError, match="UTF-8"):
        read_catalogue(path, "fr")


def test_a_catalogue_in_another_language_is_refused(catalogue_file: Write) -> None:
    path = catalogue_file('msgid "Yes"\nmsgstr "Sí"\n', language="es")
    with pytest.raises(DefinitionError) as caught:
        read_catalogue(path.rename(path.with_name("fr.po")), "fr")
    assert caught.value.code == "D022"


def test_placeholders_of_a_text() -> None:
    assert placeholders("{count} of {variable} and {count}") == {"{count}", "{variable}"}
    assert placeholders("No {{braces}}, 5 % of") == frozenset()
