"""SDMX: the published values and their structure for clients that speak it."""

from copstats.disseminate.sdmx.data_csv import data_csv
from copstats.disseminate.sdmx.data_json import data_json
from copstats.disseminate.sdmx.data_xml import data_xml, data_xml_parts
from copstats.disseminate.sdmx.message import Dataflow, dataflows
from copstats.disseminate.sdmx.writing import prepared_at, write_sdmx

__all__ = [
    "Dataflow",
    "data_csv",
    "data_json",
    "data_xml",
    "data_xml_parts",
    "dataflows",
    "prepared_at",
    "write_sdmx",
]
