"""The variables of a framework as a DDI-Codebook document, with texts in all languages.

DDI-Codebook 2.5 (2012, what NADA catalogues and Nesstar files hold) and 2.6 (2026) name the elements that
stand here alike; only namespace and version differ.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element

from copstats.framework.definitions import Module, RecordKind
from copstats.framework.export.markup import (
    Names,
    add,
    add_names,
    document,
    names,
    phrases,
    wordings,
)
from copstats.framework.export.output import EPOCH, folder
from copstats.framework.export.questionnaire import Question, Questionnaire, place_of, questionnaire_of
from copstats.framework.export.selection import Item, Selection, select
from copstats.framework.export.words import RECORD, Phrases
from copstats.framework.model import Framework
from copstats.language import N_, Translations

Version = Literal["2.5", "2.6"]

_EVERYONE = N_("Everyone")
_AGES = N_("Ages {minimum} to {maximum}")
_REPRESENTATION = {
    "code": "code",
    "integer": "numeric",
    "number": "numeric",
    "string": "text",
    "month": "datetime",
}
"""Type of a variable -> kind of its values (``var/@representationType``)."""
_RESPONSE = _REPRESENTATION | {"code": "category"}
"""Type of a variable -> kind of its answers (``qstn/@responseDomainType``)."""
_WEIGHTS = frozenset({"weight", "weight_parent", "repw"})


def write_ddi(
    framework: Framework,
    target: Path,
    *,
    language: str = "en",
    modules: Sequence[str] | None = None,
    version: Version = "2.5",
) -> list[Path]:
    """Write the codebook ``FRAMEWORK-ddi.xml``: one file description a record kind, one entry a variable.

    Args:
        framework: the framework version.
        target: folder; it is made if it is not there.
        language: its texts stand first and give the title; the others follow.
        modules: names of modules; None for all.
        version: of DDI-Codebook.

    Returns:
        Paths of the files written.

    Raises:
        UsageError: no such module (U141) or language (U120); the target is a file (U143).
        DefinitionError: the questionnaire cannot be used (D016, D050 to D052).
    """
    selection = select(framework, modules)
    words = wordings(framework.id, language)
    path = folder(target) / f"{framework.id}-ddi.xml"
    path.write_bytes(codebook_document(selection, words, version=version))
    return [path]


def codebook_document(
    selection: Selection, words: Sequence[Translations], *, version: Version = "2.5"
) -> bytes:
    """Return the codebook of part of a framework in some languages, the first of them leading."""
    return document(codebook(selection, words, version=version))


def codebook(selection: Selection, words: Sequence[Translations], *, version: Version = "2.5") -> Element:
    """Return the same as a tree, for documents that describe a study of their own."""
    return _Codebook(selection, questionnaire_of(selection.framework), words, version).root()


@dataclass(frozen=True)
class _Codebook:
    selection: Selection
    questionnaire: Questionnaire
    words: Sequence[Translations]
    version: Version
    labels: dict[tuple[str, str | None], Names] = field(default_factory=dict)
    """Texts that many variables share, such as the labels of missing codes."""

    @property
    def framework(self) -> Framework:
        return self.selection.framework

    def root(self) -> Element:
        root = Element(
            "codeBook",
            {
                "xmlns": f"ddi:codebook:{self.version.replace('.', '_')}",
                "version": self.version,
                "ID": self.framework.id,
                "xml:lang": self.words[0].language,
            },
        )
        self._document_description(root)
        self._study_description(root)
        for record in self.selection.records:
            self._file(root, record)
        data = add(root, "dataDscr")
        for items in self.selection.modules.values():
            self._group(data, items)
        for item in self.selection.items:
            self._variable(data, item)
        return root

    def _texts(self, msgid: str, context: str | None = None) -> Names:
        key = (msgid, context)
        if key not in self.labels:
            self.labels[key] = names(self.words, msgid, context)
        return self.labels[key]

    def _citation(self, parent: Element) -> Element:
        head = self.framework.head
        citation = add(parent, "citation")
        statement = add(citation, "titlStmt")
        title, *others = self._texts(head.title).items()
        add(statement, "titl", title[1], xml_lang=title[0])
        for language, text in others:
            add(statement, "parTitl", text, xml_lang=language)
        add(statement, "IDNo", head.id)
        return citation

    def _document_description(self, root: Element) -> None:
        description = add(root, "docDscr")
        citation = self._citation(description)
        production = add(citation, "prodStmt")
        day = EPOCH.date().isoformat()
        add(production, "prodDate", day, date=day)
        add(production, "software", "copstats")
        add(add(citation, "verStmt"), "version", self.framework.head.version)
        add_names(description, "docStatus", self._texts(self.questionnaire.draft.text))
        unreviewed = phrases(self.words, lambda words: words.notice)
        add_names(description, "notes", unreviewed, type="translation")

    def _study_description(self, root: Element) -> None:
        description = add(root, "stdyDscr")
        citation = self._citation(description)
        add(add(citation, "verStmt"), "version", self.framework.head.version)
        information = add(description, "stdyInfo")
        add_names(information, "abstract", self._texts(self.framework.head.notice))
        summary = add(information, "sumDscr")
        for record in self.selection.records:
            add_names(summary, "anlyUnit", self._texts(RECORD[record]))
        ages = self.framework.head.ages
        reference = phrases(self.words, lambda words: words.ages(ages.minimum, ages.maximum), _AGES)
        add_names(summary, "universe", reference)

    def _file(self, root: Element, record: RecordKind) -> None:
        text = add(add(root, "fileDscr", ID=_file_id(record)), "fileTxt")
        add(text, "fileName", record)
        size = add(text, "dimensns")
        add(size, "varQnty", str(len(self.selection.of(record))))

    def _group(self, data: Element, items: Sequence[Item]) -> None:
        module = items[0].module
        members = " ".join(_variable_id(item.record, item.name) for item in items)
        group = add(data, "varGrp", ID=_group_id(module), type="subject", name=module.module, var=members)
        add_names(group, "labl", self._texts(module.title))

    def _variable(self, data: Element, item: Item) -> None:
        """Append a variable; the order of its parts is that of the schema."""
        variable = item.variable
        entry = add(
            data,
            "var",
            ID=_variable_id(item.record, item.name),
            name=item.name,
            files=_file_id(item.record),
            intrvl="contin" if variable.type in ("integer", "number") else "discrete",
            wgt="wgt" if item.name in _WEIGHTS else None,
            representationType=_REPRESENTATION[variable.type],
        )
        add_names(entry, "labl", self._texts(variable.label))
        self._question(entry, item)
        self._ranges(entry, item)
        self._universe(entry, item)
        if variable.definition is not None:
            add_names(entry, "txt", self._texts(variable.definition))
        self._categories(entry, item)
        add_names(entry, "concept", self._texts(item.module.title), vocab=self.framework.id)
        numeric = variable.type not in ("string", "month")
        add(entry, "varFormat", type="numeric" if numeric else "character", schema="other")
        self._notes(entry, item)

    def _question(self, entry: Element, item: Item) -> None:
        asked = self._asked(item)
        if asked is None or asked.text is None:
            return
        response = _RESPONSE[item.variable.type]
        question = add(entry, "qstn", ID=_question_id(item), responseDomainType=response)
        add_names(question, "qstnLit", self._texts(asked.text))
        if asked.hint is not None:
            add_names(question, "postQTxt", self._texts(asked.hint))
        filters = item.universe.variables if item.universe is not None else frozenset()
        before = [other for other in self.selection.of(item.record) if other.name in filters]
        if ids := [_question_id(other) for other in before if self._asked(other) is not None]:
            add(question, "backward", qstn=" ".join(ids))

    def _asked(self, item: Item) -> Question | None:
        """Return the question of a variable; None for what no respondent is asked."""
        question = self.questionnaire.form(item.record).questions.get(item.name)
        return question if place_of(item.variable, question) == "module" else None

    def _ranges(self, entry: Element, item: Item) -> None:
        low, high = item.variable.minimum, item.variable.maximum
        if low is not None or high is not None:
            valid = add(entry, "valrng")
            add(valid, "range", min=_number(low), max=_number(high))
        missing = self.selection.missing_codes(item)
        if missing:
            invalid = add(entry, "invalrng")
            for code in missing:
                add(invalid, "item", VALUE=str(code))

    def _universe(self, entry: Element, item: Item) -> None:
        asked, variables = item.universe, self.framework.variables(item.record)
        needed = [_EVERYONE] if asked is None else [variables[name].label for name in sorted(asked.variables)]
        say = _universe_in_words(self.framework, item)
        add_names(entry, "universe", phrases(self.words, say, *needed), clusion="I")

    def _categories(self, entry: Element, item: Item) -> None:
        variable = item.variable
        for code, answer in self.framework.codes(variable).items():
            self._category(entry, code, self._texts(answer.label, variable.codelist))
        for code in self.selection.missing_codes(item):
            label = self._texts(self.framework.head.missing[code].label)
            self._category(entry, code, label, missing="Y")

    def _category(self, entry: Element, code: int, label: Names, *, missing: str | None = None) -> None:
        category = add(entry, "catgry", missing=missing)
        add(category, "catValu", str(code))
        add_names(category, "labl", label)

    def _notes(self, entry: Element, item: Item) -> None:
        """Append what DDI has no element for, as codes of the framework."""
        variable = item.variable
        notes: Mapping[str, str | None] = {
            "status": variable.status,
            "role": variable.role,
            "privacy": variable.privacy,
            "sensitivity": variable.sensitivity,
            "tier": variable.tier,
            "codelist": variable.codelist,
            "pattern": variable.pattern,
            "minimum_age": _number(variable.minimum_age),
            "series": f"{item.name}_001, {item.name}_002, ..." if variable.series else None,
            "universe": variable.universe,
            "indicators": " ".join(self.selection.indicators_of(item)) or None,
            "source": "; ".join(variable.source) or None,
        }
        for kind, text in notes.items():
            if text is not None:
                add(entry, "notes", text, type=kind, subject=self.framework.id)
        if variable.recall is not None:
            recall = self._texts(variable.recall)
            add_names(entry, "notes", recall, type="recall", subject=self.framework.id)


def _universe_in_words(framework: Framework, item: Item) -> Callable[[Translations], str]:
    variables = framework.variables(item.record)
    return lambda words: Phrases(framework, variables, words).universe(item.universe)


def _file_id(record: RecordKind) -> str:
    return f"F_{record}"


def _variable_id(record: RecordKind, name: str) -> str:
    return f"V_{record}_{name}"


def _question_id(item: Item) -> str:
    return f"Q_{item.record}_{item.name}"


def _group_id(module: Module) -> str:
    return f"G_{module.module}"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"
