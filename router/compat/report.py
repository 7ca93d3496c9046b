"""The report as text for people and as JSON for programs, grouped by severity, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.compat.model import Severity

if TYPE_CHECKING:
    from router.compat.model import Report

__all__ = ["report_json", "report_text"]


def report_text(report: Report) -> str:
    """A paragraph per severity that occurs, a line ``CODE: message`` per change."""
    paragraphs = []
    for severity in Severity:
        changes = report.of(severity)
        if changes:
            lines = [f"  {change.code}: {change.message}" for change in changes]
            paragraphs.append("\n".join([f"{severity.capitalize()} ({len(changes)})", *lines]))
    return "\n\n".join(paragraphs) or "Nothing changed."


def report_json(report: Report) -> dict[str, Any]:
    """Severity -> changes; every severity is there."""
    return {
        severity.value: [
            {"code": str(change.code), "message": change.message} for change in report.of(severity)
        ]
        for severity in Severity
    }
