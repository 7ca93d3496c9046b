"""The report as people and programs read it."""

from router.compat import Change, ChangeCode, Report, Severity, report_json, report_text

REPORT = Report(
    (
        Change(Severity.SAFE, "FIELD_ADDED", "Field Query.b was added."),
        Change(Severity.BREAKING, "FIELD_REMOVED", "Field Query.a was removed."),
        Change(Severity.SAFE, ChangeCode.SUBGRAPH_ADDED, 'Subgraph "b" was added.'),
    )
)


def test_text_is_grouped_the_worst_first() -> None:
    assert report_text(REPORT) == (
        "Breaking (1)\n"
        "  FIELD_REMOVED: Field Query.a was removed.\n"
        "\n"
        "Safe (2)\n"
        "  FIELD_ADDED: Field Query.b was added.\n"
        '  SUBGRAPH_ADDED: Subgraph "b" was added.'
    )


def test_text_says_when_nothing_changed() -> None:
    assert report_text(Report(())) == "Nothing changed."


def test_json_has_every_severity() -> None:
    assert report_json(REPORT) == {
        "breaking": [{"code": "FIELD_REMOVED", "message": "Field Query.a was removed."}],
        "dangerous": [],
        "safe": [
            {"code": "FIELD_ADDED", "message": "Field Query.b was added."},
            {"code": "SUBGRAPH_ADDED", "message": 'Subgraph "b" was added.'},
        ],
    }
