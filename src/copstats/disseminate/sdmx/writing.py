"""Writes structure and data of a release in the formats that SDMX clients read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from copstats.disseminate.files import write_csv_table
from copstats.disseminate.published import Published
from copstats.disseminate.release_calendar import Quarter
from copstats.disseminate.sdmx.data_csv import data_csv
from copstats.disseminate.sdmx.data_json import data_json
from copstats.disseminate.sdmx.data_xml import data_xml_parts
from copstats.disseminate.sdmx.maps import SDG, UNICEF, structure_map
from copstats.disseminate.sdmx.message import Dataflow, dataflows
from copstats.framework.export.markup import wordings
from copstats.framework.export.published import CodeTable, code_tables
from copstats.framework.export.sdmx import structure_json, structure_message
from copstats.framework.export.selection import select
from copstats.language import Translations

FOLDER = "sdmx"
_README = """\
SDMX files of release {label}, framework {framework}.

structure-2.1.xml  structure-3.0.xml  structure-2.0.json
  concepts, code lists, data structures and dataflows, names in six languages; 3.0 and 2.0 also map codes
{flows}
map-to-sdg.csv  map-to-unicef-pt.csv
  which component and code is which in the data structures IAEG-SDGs:SDG(1.14) and UNICEF:PT(1.0)

A withheld value is NaN (CSV 1.0: empty); OBS_STATUS Q and the attribute REASON say why. Read codes as text.
"""


def write_sdmx(folder: Path, published: Published) -> None:
    """Write the folder ``sdmx`` of a release; the same release gives the same bytes.

    Args:
        folder: of the release.
        published: what the release holds.
    """
    target = folder / FOLDER
    target.mkdir()
    flows, words = dataflows(published.framework), wordings(published.framework.id)
    codes = code_tables(published.framework, areas=published.areas, words=words)
    _write_structures(target, published, words)
    for flow in flows:
        _write_data(target, flow, published, codes, words)
    for name, structure in (("sdg", SDG), ("unicef-pt", UNICEF)):
        maps = [structure_map(flow, structure, codes) for flow in flows]
        write_csv_table(target / f"map-to-{name}.csv", pa.concat_tables(maps))
    listed = "\n".join(f"{flow.structure.dataflow}-*\n  data of {flow.id}, {flow.table}" for flow in flows)
    readme = _README.format(label=published.label, framework=published.framework.id, flows=listed)
    (target / "README.txt").write_text(readme, "utf-8", newline="\n")


def prepared_at(label: str) -> dt.datetime:
    """Return the time stamp of a release's messages: the end of its quarter."""
    quarter = Quarter.named_by(label)
    return dt.datetime.combine(quarter.day(31), dt.time()) if quarter else dt.datetime(2000, 1, 1)


def _write_structures(target: Path, published: Published, words: Sequence[Translations]) -> None:
    selection, prepared = select(published.framework, None), prepared_at(published.label)
    for version in ("2.1", "3.0"):
        message = structure_message(
            selection,
            words,
            areas=published.areas,
            version=version,
            prepared=prepared,
        )
        (target / f"structure-{version}.xml").write_bytes(message)
    document = structure_json(selection, words, areas=published.areas, prepared=prepared)
    (target / "structure-2.0.json").write_bytes(document)


def _write_data(
    target: Path,
    flow: Dataflow,
    published: Published,
    codes: Mapping[str, CodeTable],
    words: Sequence[Translations],
) -> None:
    rows, prepared = published.tables[flow.table], prepared_at(published.label)
    name = flow.structure.dataflow
    (target / f"{name}-2.0.csv").write_bytes(data_csv(flow, rows, "2.0"))
    (target / f"{name}-1.0.csv").write_bytes(data_csv(flow, rows, "1.0"))
    with (target / f"{name}-2.1.xml").open("wb") as file:
        file.writelines(data_xml_parts(flow, rows, prepared=prepared))
    (target / f"{name}-2.0.json").write_bytes(data_json(flow, rows, codes, words, prepared=prepared))
