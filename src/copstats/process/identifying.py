"""What becomes of columns that may identify a person, and of what a file carries beside its table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Protocol

from copstats.framework.definitions import Variable
from copstats.language import N_
from copstats.process.records import RecordTable

TAKEN_OVER, AS_KEY = "identifier_taken_over", "identifier_as_key"
DROPPED, TRACE = "identifier_dropped", "identifier_trace"
IDENTIFYING = (TAKEN_OVER, AS_KEY, DROPPED, TRACE)
"""Rule classes of this module; all are structure rules, whose places are national columns."""

KINDS: Mapping[str, str] = {
    "person_name": N_("names of persons"),
    "phone": N_("telephone numbers"),
    "email": N_("e-mail addresses"),
    "url_or_handle": N_("web addresses or account names"),
    "address": N_("addresses"),
    "postal_code": N_("postal codes or names of small places"),
    "coordinate": N_("geographical coordinates"),
    "national_id": N_("numbers of identity documents"),
    "bank_account": N_("bank accounts or card numbers"),
    "ip_address": N_("internet (IP) addresses"),
    "device_id": N_("identifiers of devices or of interviews"),
    "date_of_birth": N_("dates of birth"),
    "exact_time": N_("exact dates or times"),
    "interviewer": N_("names or codes of interviewers or teachers"),
    "school": N_("names of schools"),
    "free_text": N_("answers in free text"),
    "long_number": N_("long numbers that nearly all differ"),
    "near_unique": N_("values that differ in nearly every record"),
}
"""Kind of identifier in words."""
EVIDENCE: Mapping[str, str] = {
    "values": N_("the form of its cells"),
    "value_labels": N_("its value labels"),
    "label": N_("its label"),
    "name": N_("its name"),
}
"""What tells of an identifier, the strongest first."""
TRACES: Mapping[str, str] = {
    "author": N_("names of authors"),
    "comment": N_("comments"),
    "external_link": N_("links to other files"),
    "file_label": N_("title of the file"),
    "file_note": N_("notes in the file"),
    "hidden_sheet": N_("sheets that are not read or hidden"),
    "metadata": N_("further metadata"),
    "unused_category": N_("categories that no record has"),
    "unused_value_label": N_("labels of values that no record has"),
}
"""Kind of trace in words."""
IN_WORDS = frozenset({*KINDS.values(), *EVIDENCE.values(), *TRACES.values()})
"""Texts that stand as parameters of a message and are translated with it."""

_PERSONAL = frozenset({"person_name", "email", "url_or_handle"})
_PERSONAL_IF_SAID = frozenset({"phone", "national_id", "device_id", "bank_account"})
"""Household keys have the form of such numbers too: the name or the label of the column must say so."""
_LIST_OF_ANSWERS = 20
"""Answers that nobody chose are no news; longer lists may name schools or interviewers. Our choice."""
_OF_ANY_KEY = frozenset({"near_unique"})
_OF_NUMBERS = frozenset({"near_unique", "long_number", "coordinate"})
Params = Mapping[str, str | int | float]


class Suspect(Protocol):
    """What collecting says of a column that may identify a person."""

    @property
    def column(self) -> str:
        """Name of the national column."""

    @property
    def kinds(self) -> Collection[str]:
        """Keys of `KINDS`, the surest first."""

    @property
    def evidence(self) -> Collection[str]:
        """Keys of `EVIDENCE`."""

    @property
    def share(self) -> float:
        """Share of the cells that have the form."""


class Trace(Protocol):
    """What collecting says of something that a file carries beside its table."""

    @property
    def kind(self) -> str:
        """Key of `TRACES`."""

    @property
    def place(self) -> str:
        """Column or part of the file; empty for the file itself."""

    @property
    def count(self) -> int:
        """How many there are."""


def identifying(table: RecordTable) -> dict[str, dict[str, Params]]:
    """Return rule class -> place -> parameters of its message."""
    found: dict[str, dict[str, Params]] = {rule_class: {} for rule_class in IDENTIFYING}
    fed = _fed(table)
    for suspect in table.held.suspects:
        rule_class, kinds, target = _consequence(table, suspect, fed.get(suspect.column, {}))
        if rule_class:
            told = next(text for source, text in EVIDENCE.items() if source in suspect.evidence)
            found[rule_class][suspect.column] = {
                "kind": KINDS[kinds[0]],
                "evidence": told,
                "share": round(100 * suspect.share),
                "target": target,
            }
    for trace in table.held.traces:
        if trace.kind == "unused_value_label" and trace.count <= _LIST_OF_ANSWERS:
            continue
        place = trace.place or table.held.source_file
        found[TRACE].setdefault(place, {"kind": TRACES[trace.kind], "number": trace.count})
    return found


def _fed(table: RecordTable) -> dict[str, dict[str, Variable]]:
    """Return national column -> the variables that take it over, with their definitions."""
    defined = table.framework.variables(table.record)
    fed: dict[str, dict[str, Variable]] = {}
    for name, source in table.held.source_columns.items():
        variable = defined.get(name) or defined.get(name.rpartition("_")[0])
        if variable is not None:
            for column in (source, *source.split(", ")):
                fed.setdefault(column, {})[name] = variable
    return fed


def _consequence(
    table: RecordTable, suspect: Suspect, fed: Mapping[str, Variable]
) -> tuple[str, list[str], str]:
    """Return the rule class that a suspect breaks, or an empty text; the kinds that count; the variable."""
    carrying = {name: variable for name, variable in fed.items() if _carries(table, name, variable)}
    for name, variable in carrying.items():
        if variable.privacy != "pseudonymise" and (kinds := _kinds_in(suspect, variable)):
            return TAKEN_OVER, kinds, name
    for name, variable in carrying.items():
        if variable.privacy == "pseudonymise" and (kinds := list(_kinds_in_key(suspect))):
            return AS_KEY, kinds, name
    return ("", [], "") if carrying else (DROPPED, list(suspect.kinds), "")


def _carries(table: RecordTable, name: str, variable: Variable) -> bool:
    """Return whether the variable holds the cells as they were, not what a recode made of them."""
    if variable.privacy == "drop" or variable.type in ("code", "month"):
        return False
    mapping = table.mappings.get(name)
    if mapping is None:
        return True
    if mapping.map is not None or mapping.range is not None:
        return False
    return mapping.sql is None or variable.type == "string"


def _kinds_in(suspect: Suspect, variable: Variable) -> list[str]:
    """Return the kinds that count in a variable that is not pseudonymised; weights are long numbers too."""
    only_values = not {"name", "label"} & set(suspect.evidence)
    harmless = _OF_NUMBERS if variable.type != "string" and only_values else _OF_ANY_KEY
    return [kind for kind in suspect.kinds if kind not in harmless]


def _kinds_in_key(suspect: Suspect) -> Iterator[str]:
    said = {"name", "label"} & set(suspect.evidence)
    for kind in suspect.kinds:
        if kind in _PERSONAL or (said and kind in _PERSONAL_IF_SAID):
            yield kind
