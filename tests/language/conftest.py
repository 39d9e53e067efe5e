from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

HEADER = """# A comment on the file.
msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"

"""


@pytest.fixture
def catalogue_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a catalogue with these entries and return its path; its first entry begins at line 7."""

    def write(entries: str, language: str = "fr") -> Path:
        path = tmp_path / "translations" / f"{language}.po"
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEADER.format(language=language) + entries, "utf-8")
        return path

    return write
