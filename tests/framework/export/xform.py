"""A form as pyxform compiles it, answered without a screen: filters and calculations by libxml2's XPath."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree
from openpyxl import load_workbook
from pyxform.xls2xform import convert

FILLED_IN = {
    "set_country_iso3": "KEN",
    "set_survey_id": "KCOPS",
    "set_ethics_review": "National board, 12/2026",
    "set_helpline_name": "Childline",
    "set_helpline_number": "116",
    "set_helpline_checked": "2026-03-01",
    "set_reporting_service": "report.example.org",
    "set_official_languages": "English, Swahili",
}
XFORMS = "{http://www.w3.org/2002/xforms}"
_MOST_ROUNDS = 50

_FUNCTIONS = etree.FunctionNamespace(None)
_FUNCTIONS["if"] = lambda _, condition, yes, no: yes if condition else no
_FUNCTIONS["regex"] = lambda _, value, pattern: re.fullmatch(pattern, text(value)) is not None
_FUNCTIONS["selected"] = lambda _, value, code: code in text(value).split()
_FUNCTIONS["count-selected"] = lambda _, value: float(len(text(value).split()))
_FUNCTIONS["once"] = lambda _, value: value
_FUNCTIONS["today"] = lambda _: "2026-04-17"
_FUNCTIONS["format-date"] = lambda _, value, form: value[:7] if form == "%Y-%m" else value


def text(value: Any) -> str:
    """A value of XPath as the text that stands in a node."""
    if isinstance(value, list):
        return value[0].text or "" if value else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) else str(value)


def rows(path: Path, sheet: str = "survey") -> list[dict[str, str]]:
    """The rows of a sheet, as somebody reads them who opens the file."""
    header, *body = load_workbook(path)[sheet].iter_rows(values_only=True)
    return [
        {str(k): str(v) if v is not None else "" for k, v in zip(header, row, strict=True)} for row in body
    ]


def fill_in(path: Path, values: Mapping[str, str] = FILLED_IN) -> Path:
    """Do what a country does before the form is used; return the changed copy."""
    book = load_workbook(path)
    columns = {cell.value: cell.column for cell in book["survey"][1]}
    for number in range(2, book["survey"].max_row + 1):
        name = book["survey"].cell(number, columns["name"]).value
        if name in values:
            book["survey"].cell(number, columns["calculation"]).value = f"'{values[name]}'"
    target = path.with_stem(f"{path.stem}-filled")
    book.save(target)
    return target


class Interview:
    """The form as an engine runs it."""

    def __init__(self, path: Path) -> None:
        form = etree.fromstring(convert(str(path), validate=False).xform.encode())
        (instance,) = form.iterfind(f".//{XFORMS}model/{XFORMS}instance[1]/*")
        self.root = etree.fromstring(etree.tostring(instance))
        for node in self.root.iter():
            node.tag = etree.QName(node).localname
        etree.cleanup_namespaces(self.root)
        self.tree = etree.ElementTree(self.root)
        self.nodes = {self.tree.getpath(node): node for node in self.root.iter()}
        self.names = {node.tag: path for path, node in self.nodes.items()}
        binds = {bind.get("nodeset"): bind for bind in form.iter(f"{XFORMS}bind")}
        self.relevant = self._expressions(binds, "relevant")
        self.calculated = self._expressions(binds, "calculate")
        self.constraints = self._expressions(binds, "constraint")
        self.choices = _choices(form)

    def _expressions(self, binds: Mapping[str, Any], attribute: str) -> dict[str, etree.XPath]:
        return {
            path: etree.XPath(bind.get(attribute).replace("current()/.", "."))
            for path, bind in binds.items()
            if bind.get(attribute)
        }

    def answer(self, answers: Mapping[str, str]) -> dict[str, str]:
        """Give answers to all questions that are shown; return the value of every node."""
        self.hidden: set[str] = set()
        for node in self.nodes.values():
            if len(node) == 0:
                node.text = ""
        for _ in range(_MOST_ROUNDS):
            if not self._round(answers):
                return {node.tag: node.text or "" for node in self.nodes.values() if len(node) == 0}
        raise AssertionError("the form does not come to rest")

    def _round(self, answers: Mapping[str, str]) -> bool:
        changed, self.hidden = False, set()
        for path, node in self.nodes.items():
            above = path.rpartition("/")[0]
            if above in self.hidden or not self._holds(self.relevant, path):
                self.hidden.add(path)
            if len(node):
                continue
            value = ""
            if path not in self.hidden:
                value = answers.get(node.tag, "")
                if path in self.calculated:
                    value = text(self.calculated[path](node))
            changed |= value != (node.text or "")
            node.text = value
        return changed

    def _holds(self, expressions: Mapping[str, etree.XPath], path: str) -> bool:
        return path not in expressions or bool(expressions[path](self.nodes[path]))

    def shown(self, name: str) -> bool:
        """Whether a question was shown in the last interview."""
        return self.names[name] not in self.hidden

    def refused(self) -> set[str]:
        """Questions whose answer the form does not accept."""
        return {
            self.nodes[path].tag
            for path in self.constraints
            if self.nodes[path].text and not self._holds(self.constraints, path)
        }


def _choices(form: Any) -> dict[str, list[str]]:
    lists = {
        instance.get("id"): [name.text for name in instance.iter(f"{XFORMS}name")]
        for instance in form.iter(f"{XFORMS}instance")
        if instance.get("id")
    }
    found = {}
    for kind in ("select1", "select"):
        for control in form.iter(f"{XFORMS}{kind}"):
            name = control.get("ref").rpartition("/")[2]
            itemset = control.find(f"{XFORMS}itemset")
            if itemset is None:
                found[name] = [value.text for value in control.iter(f"{XFORMS}value")]
            else:
                found[name] = lists[re.findall(r"instance\('(.+?)'\)", itemset.get("nodeset"))[0]]
    return found
