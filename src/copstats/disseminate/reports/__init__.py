"""Reports of a release: to the working group each quarter, and to a statistics office after each round."""

from copstats.disseminate.reports.country import feedback_note
from copstats.disseminate.reports.document import Report
from copstats.disseminate.reports.quarterly import quarterly_report
from copstats.disseminate.reports.writing import docx_bytes, html_text, report_files, write_reports

__all__ = [
    "Report",
    "docx_bytes",
    "feedback_note",
    "html_text",
    "quarterly_report",
    "report_files",
    "write_reports",
]
