from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from copstats.errors import error_catalogue
from copstats.framework import frameworks, load_framework
from copstats.framework.located import Located
from copstats.framework.translation import TEXT_KEYS, framework_messages, program_messages
from copstats.language import placeholders

NO_TEXT = {
    *("universe", "denominator", "numerator", "violation", "pattern", "when"),  # predicates
    *("source", "reference"),  # citations
    *("concepts", "answer_words"),  # key words in all languages
    *("units", "categories"),  # of administrative counts: English alone as yet
}
"""Keys of definitions whose values may be several words and are yet no text for readers."""


def test_every_text_of_the_loaded_framework_is_found() -> None:
    """The typed definitions are another way to the same texts."""
    framework = load_framework()
    expected = {framework.head.title, framework.head.notice}
    for missing in framework.head.missing.values():
        expected |= {missing.label, missing.definition}
    expected |= {dimension.title for dimension in framework.head.dimensions.values()}
    for module in framework.modules.values():
        expected.add(module.title)
        for variable in module.variables.values():
            expected |= {variable.label, variable.definition or "", variable.recall or ""}
    for codelist in framework.codelists.values():
        expected |= {codelist.title, *(code.label for code in codelist.codes.values())}
    for rule in (*framework.rules.classes.values(), *framework.rules.rules.values()):
        expected |= {rule.message.what, rule.message.why, rule.message.fix}
    for indicator in framework.indicators.values():
        expected |= {indicator.definition.title, indicator.definition.recall, indicator.definition.note or ""}
    expected |= {variable.label for variable in framework.administrative.values()}
    for item in framework.policy.values():
        expected |= {item.pillar, item.item}
    assert expected - {message.msgid for message in framework_messages()} == {""}


def test_every_text_of_an_error_is_found() -> None:
    found = {message.msgid for message in program_messages()}
    assert {text for entry in error_catalogue().values() for text in entry.values()} <= found


def test_marked_texts_of_the_code_are_found_and_keys_are_not() -> None:
    code = {message.msgid for message in program_messages() if message.comment == "in the code"}
    assert {"This translation has not been reviewed by a person.", "Ages {minimum} to {maximum}"} <= code
    assert "ref_area" not in code


def test_no_prose_stands_under_a_key_that_translators_never_see(root: Path) -> None:
    folders = [root / "schemas" / name for name in frameworks()] + [root / "indicators"]
    hidden = [
        f"{path.name}: {'.'.join(map(str, at))}"
        for folder in folders
        for path in sorted(folder.rglob("*.yaml"))
        for at, text in strings(Located(path).data)
        if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,} ", text)
        and at[-1] not in TEXT_KEYS
        and not NO_TEXT & set(at)
    ]
    assert not hidden, "add the key to TEXT_KEYS, or to NO_TEXT here if its values are no text for readers"


def test_placeholders_are_plain_names() -> None:
    """Values are put in as words: a format would be applied to a word."""
    for message in [*framework_messages(), *program_messages()]:
        for placeholder in placeholders(message.msgid):
            assert placeholder[1:-1].isidentifier(), message


def test_other_and_none_have_a_context_and_few_texts_do() -> None:
    contexts = {(m.msgid, m.context) for m in framework_messages() if m.context}
    assert {("Other", "CL_MODE"), ("Other", "CL_LIVING"), ("None", "CL_DISABILITY")} <= contexts
    assert {msgid for msgid, _ in contexts} == {"Other", "None"}


def strings(data: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(data, str):
        yield at, data
    elif isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from strings(value, (*at, key))
