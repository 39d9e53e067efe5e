from __future__ import annotations

import gettext
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from copstats.language.catalogue import read_catalogue, read_po_file
from copstats.language.merge import Message, merge_file

Write = Callable[..., Path]
MSGFMT = shutil.which("msgfmt")
YES = Message("Yes", "codelists.yaml", "CL_YESNO.codes.1.label")
NO = Message("No", "codelists.yaml", "CL_YESNO.codes.0.label")


def merged(path: Path, *messages: Message, language: str = "fr") -> str:
    """Bring the file up to date and return its text without the header."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(merge_file(path, messages, language, "cop-2026"))
    return path.read_text("utf-8").partition("\n\n")[2]


def test_a_new_catalogue_has_one_unreviewed_entry_for_each_text(tmp_path: Path) -> None:
    assert merged(tmp_path / "fr.po", YES) == (
        '#. CL_YESNO.codes.1.label\n#: codelists.yaml\n#, fuzzy\nmsgid "Yes"\nmsgstr ""\n'
    )


def test_translations_reviews_notes_and_the_files_comment_are_kept(catalogue_file: Write) -> None:
    path = catalogue_file(
        '# a note of the translator\nmsgid "Yes"\nmsgstr "Oui"\n\n#, fuzzy\nmsgid "No"\nmsgstr "Non"\n'
    )
    assert merged(path, NO, YES) == (
        '#. CL_YESNO.codes.0.label\n#: codelists.yaml\n#, fuzzy\nmsgid "No"\nmsgstr "Non"\n\n'
        "# a note of the translator\n"
        '#. CL_YESNO.codes.1.label\n#: codelists.yaml\nmsgid "Yes"\nmsgstr "Oui"\n'
    )
    assert path.read_text("utf-8").startswith("# A comment on the file.\n")


def test_what_is_gone_stands_at_the_end_and_comes_back_for_review(catalogue_file: Write) -> None:
    path = catalogue_file(
        'msgid "No"\nmsgstr "Non"\n\nmsgid "Yes"\nmsgstr "Oui"\n\nmsgid "Maybe"\nmsgstr ""\n'
    )
    assert merged(path, YES).endswith('msgstr "Oui"\n\n#~ msgid "No"\n#~ msgstr "Non"\n')
    assert "Maybe" not in path.read_text("utf-8")
    assert merged(path, NO, YES).startswith(
        '#. CL_YESNO.codes.0.label\n#: codelists.yaml\n#, fuzzy\nmsgid "No"\nmsgstr "Non"\n'
    )
    assert "#~" not in path.read_text("utf-8")


def test_an_emptied_translation_is_marked_again(catalogue_file: Write) -> None:
    assert "#, fuzzy" in merged(catalogue_file('msgid "Yes"\nmsgstr ""\n'), YES)


def test_a_changed_text_takes_no_translation_of_similar_words(catalogue_file: Write) -> None:
    path = catalogue_file('msgid "Weekly or more"\nmsgstr "Chaque semaine"\n')
    assert 'msgid "Weekly or less"\nmsgstr ""\n' in merged(path, Message("Weekly or less", "a.yaml", "x"))


def test_a_text_at_many_places_is_one_entry(tmp_path: Path) -> None:
    uses = [Message("now", f"{letter}.yaml", f"{letter}.recall") for letter in "dabce"]
    assert merged(tmp_path / "fr.po", *uses) == (
        "#. d.recall\n#. used in more than one place\n#: a.yaml b.yaml d.yaml\n"
        '#, fuzzy\nmsgid "now"\nmsgstr ""\n'
    )


def test_one_text_with_two_meanings_is_two_entries(tmp_path: Path) -> None:
    path = tmp_path / "fr.po"
    merged(path, Message("Other", "a", "x", "CL_MODE"), Message("Other", "a", "y", "CL_LIVING"))
    assert len(read_po_file(path, "fr")) == 2


def test_a_percent_sign_is_no_placeholder_and_braces_are(tmp_path: Path) -> None:
    text = merged(tmp_path / "fr.po", Message("98 % of values", "a", "x"), Message("{count} cells", "a", "y"))
    assert "python-format" not in text
    assert '#, fuzzy, python-brace-format\nmsgid "{count} cells"' in text


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r"), min_size=1, max_size=40).filter(
    str.strip
)


@settings(max_examples=60, deadline=None)
@given(texts=st.lists(st.tuples(TEXTS, TEXTS), max_size=6, unique_by=lambda pair: pair[0]))
def test_any_text_comes_back_as_it_was_and_a_second_merge_changes_no_byte(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("po") / "fr.po"
    messages = [Message(msgid, "a.yaml", "x") for msgid, _ in texts]
    merged(path, *messages)
    filled = read_po_file(path, "fr")
    assert [entry.id for entry in filled if entry.id] == [msgid for msgid, _ in texts]
    first = path.read_bytes()
    merged(path, *messages)
    assert path.read_bytes() == first
    merged(path)
    assert read_catalogue(path, "fr").texts == {}


@pytest.mark.skipif(MSGFMT is None, reason="GNU gettext is not installed")
def test_gnu_gettext_reads_what_was_written(catalogue_file: Write) -> None:
    path = catalogue_file('msgid "Yes"\nmsgstr "Oui"\n\nmsgid "Gone"\nmsgstr "Disparu"\n')
    merged(
        path, YES, NO, Message('A "quote", a \\ and a\nline', "a", "x"), Message("Other", "a", "y", "CL_MODE")
    )
    compiled = path.with_suffix(".mo")
    subprocess.run([str(MSGFMT), "--check-format", "-o", str(compiled), str(path)], check=True)
    with compiled.open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Yes") == "Oui"
