"""What a new supergraph changes for those who live with the old one."""

from router.compat.compare import compare
from router.compat.model import Change, ChangeCode, Report, Severity
from router.compat.report import report_json, report_text
from router.compat.version import Version

__all__ = [
    "Change",
    "ChangeCode",
    "Report",
    "Severity",
    "Version",
    "compare",
    "report_json",
    "report_text",
]
