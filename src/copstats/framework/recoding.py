"""What became of a variable's codes from one version to a later one, written into a crosswalk's entry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from copstats.framework.definitions import RecordKind
from copstats.framework.difference import Difference
from copstats.framework.rewriting import YamlText, flow, value_of

LONGEST_EXPRESSION = 2000
"""A crosswalk's expression must not be longer."""

Entry = Mapping[str, tuple[Any, Any]]
"""Key -> nodes of key and value, of one entry of a crosswalk."""


@dataclass(frozen=True)
class Recode:
    """What became of the codes of a variable.

    Attributes:
        moved: code before -> code now, of those that have another number now.
        split: code before -> codes now.
        gone: codes without a successor.
        codes: all codes before, missing codes first.
    """

    moved: Mapping[int, int]
    split: Mapping[int, tuple[int, ...]]
    gone: frozenset[int]
    codes: tuple[int, ...]

    def __bool__(self) -> bool:
        return bool(self.moved or self.split or self.gone)

    def text(self) -> str:
        """Return all that changed, for example ``5 -> 4; 2 -> 2, 6``."""
        moved = [f"{code} -> {to}" for code, to in self.moved.items()]
        moved += [f"{code} -> {', '.join(map(str, to))}" for code, to in self.split.items()]
        return "; ".join([*moved, *(f"{code} -> ?" for code in sorted(self.gone))])


def recode_of(difference: Difference, record: RecordKind, earlier: str, name: str) -> Recode:
    """Return what became of the codes of a variable that both versions have."""
    old = difference.old.variables(record)[earlier]
    new = difference.new.variables(record)[name]
    if old.codelist is None or new.codelist is None:
        return Recode({}, {}, frozenset(), ())
    before, after = difference.old.codes(old), difference.new.codes(new)
    declared = difference.declared
    followed = declared.list_before(new.codelist) == old.codelist
    fates = declared.recoded(new.codelist) if followed else {}
    return Recode(
        moved={code: to[0] for code, to in fates.items() if len(to) == 1 and to[0] != code},
        split={code: to for code, to in fates.items() if len(to) > 1},
        gone=frozenset(code for code in before if code not in after and code not in fates),
        codes=(*sorted(difference.old.head.missing), *before),
    )


@dataclass(frozen=True)
class Written:
    """What was done to an entry.

    Attributes:
        added: entries to be added to it.
        used: codes before, that it names or may give.
        done: whether the codes that moved are converted.
    """

    added: list[str]
    used: frozenset[int]
    done: bool = True


def write(document: YamlText, given: Entry, recode: Recode) -> Written:
    """Convert the codes that an entry gives; codes that were split or are gone stay for a person to decide.

    An entry that takes the values as they stand gets a ``map`` of all codes of the version before, without
    those that were split or are gone: such an answer is then told by the check instead of guessed.
    """
    used = _targets(document, given, recode)
    if "sql" in given:
        return Written([], frozenset(recode.codes), _expression(document, given["sql"][1], recode))
    if "map" in given or "range" in given:
        return Written([], used)
    codes = {
        code: recode.moved.get(code, code)
        for code in recode.codes
        if code not in recode.split and code not in recode.gone
    }
    added = f"map: {flow(codes)}"
    everything = frozenset(recode.codes)
    if "copy" in given:
        document.replace_entry(*given["copy"], added)
        return Written([], everything)
    return Written([added], everything)


def _targets(document: YamlText, given: Entry, recode: Recode) -> frozenset[int]:
    """Convert the codes that stand in ``map``, ``range`` and ``blank``; return those found."""
    nodes: list[Any] = []
    if "map" in given:
        nodes += [value for _, value in given["map"][1].value]
    if "range" in given:
        nodes += [value_of(one, "code") for one in given["range"][1].value]
    if "blank" in given:
        nodes.append(given["blank"][1])
    used = set()
    for node in nodes:
        code = int(node.value)
        used.add(code)
        if code in recode.moved:
            document.replace(node, str(recode.moved[code]))
    return frozenset(used)


def _expression(document: YamlText, node: Any, recode: Recode) -> bool:
    """Convert the result of an expression; False where it would become too long."""
    if not recode.moved:
        return True
    arms = " ".join(f"WHEN {code} THEN {to}" for code, to in recode.moved.items())
    expression = f"CASE ({node.value.strip()}) {arms} ELSE ({node.value.strip()}) END"
    if len(expression) > LONGEST_EXPRESSION:
        return False
    document.replace(node, json.dumps(expression, ensure_ascii=False))
    return True
