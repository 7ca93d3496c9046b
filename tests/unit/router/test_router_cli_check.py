"""The command ``check``: a new supergraph against the one in use."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from router.cli import app

RUN = CliRunner()
CONFIG = "subgraphs: {users: {routing_url: http://users/graphql, schema: {file: users.graphql}}}"
USERS = "type Query { me: User } type User { name: String }"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration, and beside it the supergraph of it as it is in use."""
    path = tmp_path / "supergraph.yaml"
    path.write_text(CONFIG)
    (tmp_path / "users.graphql").write_text(USERS)
    in_use = ["compose", "--config", str(path), "--output", str(tmp_path / "in-use.graphql")]
    assert RUN.invoke(app, in_use).exit_code == 0
    return path


def _check(config: Path, *options: str, against: str = "in-use.graphql") -> Result:
    arguments = ["check", "--config", str(config), "--against", str(config.parent / against)]
    return RUN.invoke(app, [*arguments, *options])


def test_nothing_changed(config: Path) -> None:
    result = _check(config)

    assert (result.exit_code, result.stdout) == (0, "Nothing changed.\n")


def test_a_breaking_change_is_printed_and_fails(config: Path) -> None:
    config.with_name("users.graphql").write_text(USERS.replace("name", "login"))

    result = _check(config)

    assert result.exit_code == 1
    assert result.stdout == (
        "Breaking (1)\n"
        "  FIELD_REMOVED: Field User.name was removed.\n"
        "\n"
        "Safe (1)\n"
        "  FIELD_ADDED: Field User.login was added.\n"
    )


def test_other_changes_do_not_fail(config: Path) -> None:
    config.with_name("users.graphql").write_text(USERS.replace("{ me:", "{ me(id: ID):"))

    result = _check(config, "--format", "json")

    assert result.exit_code == 0
    assert {name: len(found) for name, found in orjson.loads(result.stdout).items()} == {
        "breaking": 0,
        "dangerous": 1,
        "safe": 1,  # ID is a type that was not used before
    }


def test_bad_input_has_a_code_and_no_report(config: Path, tmp_path: Path) -> None:
    (tmp_path / "other.graphql").write_text("type Query { a: Int }")
    (tmp_path / "broken.graphql").write_text("type {")

    missing = _check(config, against="missing.graphql")
    other = _check(config, against="other.graphql")
    broken = _check(config, against="broken.graphql")
    config.with_name("users.graphql").write_text("type {")
    subgraph = _check(config)
    config.unlink()
    unconfigured = _check(config)

    results = (missing, other, broken, subgraph, unconfigured)
    assert [(result.exit_code, result.stdout) for result in results] == [(1, "")] * 5
    assert [result.stderr.split(":")[0] for result in results] == [
        "UNREADABLE_FILE",
        "NOT_A_SUPERGRAPH",
        "INVALID_GRAPHQL",
        "INVALID_GRAPHQL",
        "CONFIG_FILE_MISSING",
    ]
    assert "other.graphql" in other.stderr
