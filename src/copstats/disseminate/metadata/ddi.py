"""A DDI-Codebook document of each survey: what its office states, and the variables that it covers.

Neither records nor frequencies: a release tells of answers in its protected tables alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

from copstats.disseminate.codes import LISTS
from copstats.disseminate.metadata.about import issued
from copstats.disseminate.published import Published
from copstats.framework.export.ddi import codebook
from copstats.framework.export.markup import Names, add, add_names, document, names, phrases, wordings
from copstats.framework.export.selection import Selection, select
from copstats.framework.export.words import RECORD
from copstats.framework.model import Framework
from copstats.language import N_, Translations

_AGES = N_("Ages {minimum} to {maximum}")
_NO_RECORDS = N_(
    "The records of this survey are not part of the release, which holds tables that passed disclosure "
    "control."
)
_VARIABLES = N_(
    "The variables are those of the framework, to which the survey's own were brought. The words of its "
    "questions are not given here."
)
_RESPONSE = N_("Overall response rate: {percent} %")
_COVERED = N_("Share of the target population in the sampling frame: {percent} %")

Row = Mapping[str, Any]


def codebooks(published: Published) -> Iterator[tuple[str, bytes]]:
    """Yield source and document (DDI-Codebook 2.5) of every survey of a release.

    A document has English, and those languages of the United Nations in which the survey's title is given.
    """
    every = wordings(published.framework.id)
    given = _titles(published)
    for row in published.tables["source"].to_pylist():
        titles = given.get(row["source"]) or {"en": row["title"] or row["source"]}
        words = [each for each in every if each.language == "en" or each.language in titles]
        selection = _covered(published.framework, row)
        root = codebook(selection, words)
        root.set("ID", row["source"])
        root[:2] = _Study(published, row, titles, words, selection).descriptions()
        _leave_out_questions(root)
        yield row["source"], document(root)


def _titles(published: Published) -> dict[str, dict[str, str]]:
    """Return source -> language -> title."""
    found: dict[str, dict[str, str]] = {}
    for row in published.tables["label"].to_pylist():
        if row["kind"] == "source":
            found.setdefault(row["code"], {})[row["language"]] = row["text"]
    return found


def _covered(framework: Framework, row: Row) -> Selection:
    """Return the variables that a survey says it has; of modules that the framework still has."""
    modules = [name for name in (row["modules"] or "").split() if name in framework.modules]
    left_out = (row["not_asked"] or "").split()
    covered = select(framework, modules)
    return Selection(framework, tuple(item for item in covered.items if item.name not in left_out))


def _leave_out_questions(root: Element) -> None:
    """The framework's draft is not what the survey asked."""
    for variable in root.iter("var"):
        for question in variable.findall("qstn"):
            variable.remove(question)


@dataclass(frozen=True)
class _Study:
    """Describes a survey; the order of the parts is that of the schema."""

    published: Published
    row: Row
    titles: Names
    words: Sequence[Translations]
    selection: Selection

    def descriptions(self) -> list[Element]:
        """Return the description of the document and that of the study."""
        study = Element("stdyDscr")
        self._citation(add(study, "citation"))
        self._summary(add(add(study, "stdyInfo"), "sumDscr"))
        self._method(add(study, "method"))
        use = add(add(study, "dataAccs"), "useStmt")
        add_names(use, "restrctn", names(self.words, _NO_RECORDS))
        add_names(study, "notes", names(self.words, _VARIABLES), type="variables")
        add(study, "notes", self.row["content_hash"], type="sha256")
        return [self._of_document(), study]

    def _of_document(self) -> Element:
        description = Element("docDscr")
        citation = add(description, "citation")
        citation.append(self._title(f"{self.row['source']}_DDI"))
        production = add(citation, "prodStmt")
        if day := issued(self.published):
            add(production, "prodDate", day, date=day)
        add(production, "software", "copstats")
        add(add(citation, "verStmt"), "version", self.published.label)
        unreviewed = phrases(self.words, lambda words: words.notice)
        add_names(description, "notes", unreviewed, type="translation")
        return description

    def _title(self, identifier: str) -> Element:
        statement = Element("titlStmt")
        (language, title), *others = sorted(self.titles.items(), key=lambda entry: entry[0] != "en")
        add(statement, "titl", title, xml_lang=language)
        for tag, text in others:
            add(statement, "parTitl", text, xml_lang=tag)
        add(statement, "IDNo", identifier)
        return statement

    def _citation(self, citation: Element) -> None:
        citation.append(self._title(self.row["source"]))
        add(add(citation, "rspStmt"), "AuthEnty", self.row["organisation"])
        add(add(citation, "prodStmt"), "producer", self.row["organisation"])
        if self.published.publisher.name:
            add(add(citation, "distStmt"), "distrbtr", self.published.publisher.name)
        add(add(citation, "serStmt"), "serName", self.row["survey"])
        add(add(citation, "verStmt"), "version", str(self.row["version"]))

    def _summary(self, summary: Element) -> None:
        row = self.row
        add(summary, "timePrd", row["time_period"], event="single", date=row["time_period"])
        for event in ("start", "end"):
            day = row[f"fieldwork_{event}"].isoformat()
            add(summary, "collDate", day, event=event, date=day)
        area = self.published.areas.get(row["ref_area"])
        code, name = row["ref_area"], area.name if area else row["ref_area"]
        nation = {words.language: words.area(code, name) for words in self.words}
        add_names(summary, "nation", nation, abbr=code)
        self._coded(summary, "geogCover", "coverage")
        for record in self.selection.records:
            add_names(summary, "anlyUnit", names(self.words, RECORD[record]))
        self._coded(summary, "universe", "universe", clusion="I")
        ages = row["age_minimum"], row["age_maximum"]
        add_names(
            summary, "universe", phrases(self.words, lambda words: words.ages(*ages), _AGES), clusion="I"
        )
        if row["excluded"]:
            add(summary, "universe", row["excluded"], clusion="E")

    def _method(self, method: Element) -> None:
        row = self.row
        collection = add(method, "dataColl")
        add(collection, "dataCollector", row["organisation"])
        self._coded(collection, "sampProc", "sampling")
        self._coded(collection, "collMode", "mode")
        self._coded(collection, "collSitu", "setting")
        if row["weight_method"]:
            add(collection, "weight", row["weight_method"])
        shares = {
            "respRate": (_RESPONSE, row["response_rate"]),
            "dataAppr": (_COVERED, row["coverage_share"]),
        }
        stated = {tag: (text, share) for tag, (text, share) in shares.items() if share is not None}
        if stated:
            analysis = add(method, "anlyInfo")
            for tag, (text, share) in stated.items():
                add_names(analysis, tag, self._per_cent(text, share))

    def _coded(self, parent: Element, tag: str, column: str, **attributes: str) -> None:
        label = LISTS[column][self.row[column]]
        add_names(parent, tag, names(self.words, label), **attributes)

    def _per_cent(self, text: str, share: float) -> dict[str, str]:
        return phrases(self.words, lambda words: words.text(text, percent=words.number(100 * share, 1)), text)
