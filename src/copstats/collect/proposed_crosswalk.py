"""Writes proposals as a crosswalk whose entries are commented out: a person decides what to uncomment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from copstats.collect.proposals import Candidate, Proposal
from copstats.collect.readers import Value
from copstats.framework import Framework
from copstats.framework.definitions import RecordKind, Variable

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NOT_PLAIN = ("null", "true", "false")
_LABELS_SHOWN = 12
_DESIGN = ("stratum", "psu", "weight")

_HEAD = """\
# Columns proposed by name, label and value labels. Nothing in this file is applied.
# Hold each entry against the questionnaire: questions that look alike can differ in filter, recall period or
# answers, and question numbers move between rounds. Uncomment what is right by taking "# " from the start of
# its lines, and state the wording: a question whose wording is not declared is never of class A.
# A score orders candidates; it is no probability.
"""


def proposed_crosswalk(proposals: Iterable[Proposal], framework: Framework) -> str:
    """Return the text of a ``crosswalk.yaml`` that is valid as it stands and maps nothing.

    Args:
        proposals: as `copstats.collect.proposals.propose` returns them.
        framework: code lists and recall periods.
    """
    proposals = list(proposals)
    lines = [f"framework: {framework.id}"]
    lines += _design([p for p in proposals if p.record == "child" and p.variable in _DESIGN])
    records: tuple[RecordKind, ...] = ("child", "parent")
    for record in records:
        own = [p for p in proposals if p.record == record and p.variable not in _DESIGN]
        if own:
            lines += ["", f"# {record}:"]
            for proposal in own:
                variable = framework.variables(record)[proposal.variable]
                entry = _entry(proposal, variable, framework) if proposal.likely else _weaker(proposal)
                lines += [f"# {line}" for line in entry]
    return _HEAD + "\n".join(lines) + "\n"


def _design(proposals: list[Proposal]) -> Iterator[str]:
    if proposals:
        entries = ", ".join(f"{p.variable}: {_scalar(p.best.column)}" for p in proposals)
        yield f"# Design variables stand in manifest.yaml: `design: {{{entries}}}`."
        for proposal in proposals:
            yield f"#   {proposal.variable}: {_described(proposal.best)}"


def _entry(proposal: Proposal, variable: Variable, framework: Framework) -> Iterator[str]:
    best = proposal.best
    yield f"  # {variable.label}: {_described(best)}"
    if others := "; ".join(_described(other) for other in proposal.candidates[1:]):
        yield f"  # or: {others}"
    yield f"  {proposal.variable}:"
    yield f"    source: {_scalar(best.column)}"
    yield from _recode(best, variable, framework)
    if variable.role == "measure":
        recall = f", recall: {variable.recall}" if variable.recall else ""
        choices = "class: identical | adapted | different"
        yield f"    # wording: {{{choices}{recall}, scale: identical, asked_of: universe}}"


def _weaker(proposal: Proposal) -> Iterator[str]:
    """A weak candidate is told and not written as an entry."""
    yield f"  # {proposal.variable}: perhaps {'; '.join(map(_described, proposal.candidates))}"


def _recode(best: Candidate, variable: Variable, framework: Framework) -> Iterator[str]:
    labels = _labels(best.value_labels)
    if best.recode:
        pairs = ", ".join(f"{_scalar(_whole(value))}: {code}" for value, code in best.recode.items())
        yield f"    map: {{{pairs}}}"
        yield f"    # in the file: {labels}"
    elif variable.type == "code":
        codes = framework.codes(variable).items()
        yield "    # map: national value to " + ", ".join(f"{code} ({entry.label})" for code, entry in codes)
        if labels:
            yield f"    # in the file: {labels}"
    else:
        yield "    copy: true"


def _described(candidate: Candidate) -> str:
    label = f" ({candidate.label})" if candidate.label else ""
    return f"{candidate.column}{label}, score {candidate.score:.2f}"


def _labels(labels: Mapping[Value, str]) -> str:
    shown = [f"{_whole(value)} = {label}" for value, label in list(labels.items())[:_LABELS_SHOWN]]
    return ", ".join(shown) + (", ..." if len(labels) > _LABELS_SHOWN else "")


def _whole(value: Value) -> Value:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _scalar(value: Value) -> str:
    """Return a value as YAML, quoted where it could be read as something else."""
    if not isinstance(value, str):
        return repr(value)
    plain = _PLAIN.fullmatch(value) and value not in _NOT_PLAIN
    return value if plain else json.dumps(value, ensure_ascii=False)
