"""Reports of a check for people and programs: a page, a workbook, a validation report.

They name rules, variables and records; no value of a cell stands in them. Record numbers lead to children's
answers all the same: of these files only the summary may leave the office.
"""

from copstats.process.reports.folder import write_reports
from copstats.process.reports.places import Place, places

__all__ = ["Place", "places", "write_reports"]
