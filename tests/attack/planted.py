"""Submissions with a mark in every place of every format that can hold a text, and marked numbers.

A mark tells its place: ``zqkanari`` (the stem of `scanner`), the format or submission, and what it stands in.
`NAMES` are columns, sheets and files, which the statistics office's own report may name.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import yaml
from openpyxl.comments import Comment
from openpyxl.packaging.custom import StringProperty
from openpyxl.workbook.defined_name import DefinedName

from tests.attack.scanner import STEM, Scanner

RECORDS = 300
WEIGHTS = (731.20918273, 688.40918274, 845.60918275)
PHONE, LATITUDE = 918273645123, 12.918273645
NAMES = ("column", "sheet", "file")
Frames = dict[str, pd.DataFrame]
Writer = Callable[[str, pd.DataFrame], bytes]


def mark(kind: str, place: str) -> str:
    return f"{STEM}{kind}{place}"


def scanner() -> Scanner:
    ids = [f"{STEM}{letter}{number}".upper() for letter in "ch" for number in range(RECORDS)]
    return Scanner(numbers=(*WEIGHTS, PHONE, LATITUDE), identifiers=ids)


def names_only(marks: set[str]) -> set[str]:
    """Return those of the marks that are more than the name of a column, sheet or file."""
    return {found for found in marks if not found.endswith(NAMES)}


def frames(sample: Path, kind: str) -> Frames:
    """Return the first records of a sound sample, marked wherever a text or a fraction can stand."""
    texts = {name: str for name in ("stratum", "psu", "child_id", "hh_id", "parent_id")}
    child = pd.read_csv(sample / "child.csv", dtype=texts).head(RECORDS)
    parent = pd.read_csv(sample / "parent.csv", dtype=texts)
    parent = parent[parent["child_id"].isin(child["child_id"])].reset_index(drop=True)
    renamed = {old: f"{STEM}C{number}".upper() for number, old in enumerate(child["child_id"])}
    homes = {old: f"{STEM}H{number}".upper() for number, old in enumerate(child["hh_id"].unique())}
    child["hh_id"] = child["hh_id"].map(homes)
    parent["parent_id"] = [f"{STEM}E{number}".upper() for number in range(len(parent))]
    for table in (child, parent):
        table["child_id"] = table["child_id"].map(renamed)
        table["stratum"] = f"{STEM}S".upper() + table["stratum"]
        table["psu"] = f"{STEM}P".upper() + table["psu"]
        table[mark(kind, "column")] = mark(kind, "cell")
        table["remarks"] = [f"she said {mark(kind, 'cell')} {number}" for number in range(len(table))]
    child["int_lang"] = f"sw-{STEM}"
    child.loc[:2, "weight"] = WEIGHTS
    child["mobile"] = PHONE
    child["latitude"] = LATITUDE
    return {"child": child, "parent": parent}


def csv(_: str, table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def xlsx(record: str, table: pd.DataFrame) -> bytes:
    """A workbook with properties, hidden sheets, comments, headers, links, defined names."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = f"{STEM}{record}sheet"
    sheet.append(list(table.columns))
    for row in table.astype(object).where(table.notna(), None).itertuples(index=False):
        sheet.append(list(row))
    sheet["A2"].comment = Comment(mark("xlsx", "comment"), mark("xlsx", "author"))
    sheet.oddHeader.center.text = mark("xlsx", "header")
    sheet["B2"].hyperlink = f"https://{mark('xlsx', 'link')}.example/"
    sheet["C2"].number_format = f'"{mark("xlsx", "numberformat")}"0'
    for state in ("hidden", "veryHidden"):
        hidden = book.create_sheet(mark("xlsx", f"{state.lower()}sheet"))
        hidden.sheet_state = state
        hidden["A1"] = mark("xlsx", "hiddencell")
    properties = book.properties
    properties.creator = properties.lastModifiedBy = mark("xlsx", "creator")
    properties.title, properties.keywords = mark("xlsx", "title"), mark("xlsx", "keywords")
    properties.description = mark("xlsx", "description")
    book.custom_doc_props.append(StringProperty(name="origin", value=mark("xlsx", "property")))
    book.defined_names["area"] = DefinedName("area", attr_text=f'"{mark("xlsx", "definedname")}"')
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def sav(_: str, table: pd.DataFrame) -> bytes:
    """A file with a label, notes, labels of variables and of values, one of them never used."""
    labels = {"sex": {1: mark("sav", "valuelabel"), 2: "x", 77: mark("sav", "unused")}}
    return _written(
        lambda path: pyreadstat.write_sav(
            table,
            path,
            file_label=mark("sav", "filelabel"),
            note=mark("sav", "note"),
            column_labels=dict.fromkeys(table.columns, mark("sav", "label")),
            variable_value_labels=labels,
        )
    )


def dta(_: str, table: pd.DataFrame) -> bytes:
    labels = {"p_sex": {1: mark("dta", "valuelabel"), 2: "x", 77: mark("dta", "unused")}}
    return _written(
        lambda path: pyreadstat.write_dta(
            table,
            path,
            file_label=mark("dta", "filelabel"),
            column_labels=dict.fromkeys(table.columns, mark("dta", "label")),
            variable_value_labels=labels,
        )
    )


def _written(write: Callable[[str], object]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "written"
        write(str(path))
        return path.read_bytes()


def parquet(_: str, table: pd.DataFrame) -> bytes:
    """A file with metadata of pandas and of fields, a category that no record has, and statistics."""
    schools = pd.CategoricalDtype(["open", mark("parquet", "category")])
    content = table.assign(school=pd.Series(["open"] * len(table), dtype=schools))
    content.attrs["origin"] = mark("parquet", "attribute")
    arrow = pa.Table.from_pandas(content)
    described = arrow.field(0).with_metadata({"label": mark("parquet", "fieldmetadata")})
    arrow = arrow.set_column(0, described, arrow.column(0))
    said = {**(arrow.schema.metadata or {}), "path": mark("parquet", "path")}
    buffer = io.BytesIO()
    pq.write_table(arrow.replace_schema_metadata(said), buffer)
    return buffer.getvalue()


def faulty(record: str, table: pd.DataFrame) -> bytes:
    """Cells that no recode and no type takes, a child twice, a month and a region out of form."""
    if record == "child":
        table = table.astype(object)
        names = ("age", "sex", "area", "adm1", "int_ym", "net_3m", "rct_met", "country_iso3")
        for number, name in enumerate(names, start=10):
            table.loc[number, name] = mark("faulty", f"{name.replace('_', '')}cell")
        table.loc[3, "age"] = PHONE
        table.loc[30, "child_id"] = table.loc[31, "child_id"]
        table.loc[40, "weight"] = -WEIGHTS[0]
    return csv(record, table)


def torn(record: str, table: pd.DataFrame) -> bytes:
    """A record with more cells than the header, and bytes of no encoding."""
    lines = csv(record, table).split(b"\n")
    lines[7] += f",{mark('torn', 'cell')}".encode()
    lines[9] += b"\xff\xfe\x81"
    return b"\n".join(lines)


@dataclass(frozen=True)
class Planted:
    """A submission: its area, and what writes its data file of each record kind under which ending."""

    area: str
    child: tuple[str, Writer]
    parent: tuple[str, Writer] = field(default=("csv", csv))

    @property
    def id(self) -> str:
        return f"{self.area}_2025_COPS_v01_M"


KINDS = {
    "zipped": Planted("XAA", ("sav", sav), ("parquet", parquet)),
    "workbook": Planted("XBB", ("xlsx", xlsx), ("dta", dta)),
    "faulty": Planted("XFF", ("csv", faulty)),
    "torn": Planted("XGG", ("csv", torn)),
    "crash": Planted("XHH", ("csv", csv)),
}


def plant(sample: Path, inbox: Path, *names: str) -> None:
    """Write submissions of `KINDS` into a folder; in the zip stand comments and a file that nobody named."""
    for name in names:
        files = _files(sample, name)
        if name == "zipped":
            _zip(inbox / f"{name}.zip", files)
            continue
        (inbox / name).mkdir(parents=True)
        for file, content in files.items():
            (inbox / name / file).write_bytes(content)


def _files(sample: Path, name: str) -> dict[str, bytes]:
    planted = KINDS[name]
    says = yaml.safe_load((sample / "manifest.yaml").read_text("utf-8"))
    says["ref_area"] = planted.area
    says["files"], files = {}, {}
    for record, table in frames(sample, name).items():
        table["country_iso3"] = planted.area
        ending, write = planted.child if record == "child" else planted.parent
        path = f"{record}{mark(name, 'file')}.{ending}"
        files[path] = write(record, table)
        says["files"][record] = {"path": path}
        if ending == "xlsx":
            says["files"][record]["sheet"] = f"{STEM}{record}sheet"
    text = f"# {mark(name, 'yamlcomment')}\n{yaml.safe_dump(says, allow_unicode=True)}"
    return {"manifest.yaml": text.encode(), **files}


def _zip(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = mark("zip", "comment").encode()
        for name, content in {**files, f"{mark('zip', 'file')}.txt": mark("zip", "other").encode()}.items():
            entry = zipfile.ZipInfo(name)
            entry.comment = mark("zip", "entrycomment").encode()
            archive.writestr(entry, content)
