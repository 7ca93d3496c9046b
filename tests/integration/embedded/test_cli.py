"""Operator commands, run in this process: migrations, schemas, and what they say when they fail."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from socialnet import cli
from socialnet.domains import Domain, SettingsError, settings_of

_ROOT = Path(__file__).parents[3]


def _invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, arguments)


def _use_shards(monkeypatch: pytest.MonkeyPatch, domain: Domain, urls: tuple[str, ...]) -> None:
    shards = [{"id": f"shard-{number}", "primary": url} for number, url in enumerate(urls)]
    monkeypatch.setenv(f"{domain}_SHARDS".upper(), json.dumps(shards))
    monkeypatch.setenv("USERS_SIGNING_KEY_FILE", "/dev/null")


def _states(output: str) -> list[tuple[str, ...]]:
    """Domain, shard and state of each row of the printed table."""
    rows = re.findall(r"^(users|posts) +(shard-\d) +(\w+)", output, re.MULTILINE)
    return [tuple(row) for row in rows]


def test_migrations_go_up_and_down_on_every_shard(
    monkeypatch: pytest.MonkeyPatch, scratch_urls: tuple[str, ...]
) -> None:
    _use_shards(monkeypatch, Domain.USERS, scratch_urls)

    before = _invoke("migrate", "status", "users")
    up = _invoke("migrate", "up", "users")
    after = _invoke("migrate", "status", "users")
    down = _invoke("migrate", "down", "users", "--to", "base")

    behind = [("users", "shard-0", "behind"), ("users", "shard-1", "behind")]
    current = [("users", "shard-0", "current"), ("users", "shard-1", "current")]
    assert (before.exit_code, _states(before.output)) == (1, behind)
    assert (up.exit_code, _states(up.output)) == (0, current)
    assert (after.exit_code, _states(after.output)) == (0, current)
    assert (down.exit_code, _states(down.output)) == (0, behind)
    assert "users on shard-0 is at 0001" in up.output
    assert "users on shard-1 has taken back 0001" in down.output


def test_migrations_of_an_embedded_folder_start_its_clusters(public_tmp_path: Path) -> None:
    folder = str(public_tmp_path / "data")

    up = _invoke("migrate", "up", "--data-dir", folder)
    status = _invoke("migrate", "status", "--data-dir", folder)

    everything = [(d.value, s, "current") for d in Domain for s in ("shard-0", "shard-1")]
    assert (up.exit_code, _states(up.output)) == (0, everything)
    assert (status.exit_code, _states(status.output)) == (0, everything)
    assert not list(public_tmp_path.glob("**/postmaster.pid"))


def test_unreachable_shard_is_shown_and_fails_the_status(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = f"postgresql+asyncpg://nobody@/users?host={tmp_path}"
    _use_shards(monkeypatch, Domain.USERS, (url,))

    status = _invoke("migrate", "status", "users")

    assert status.exit_code == 1
    assert _states(status.output) == [("users", "shard-0", "unreachable")]


def test_missing_settings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERS_SHARDS", raising=False)

    with pytest.raises(SettingsError, match=r"^USERS_SHARDS: Field required$"):
        settings_of(Domain.USERS)


def test_wrong_settings_are_named_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    shards = [{"id": "shard-0", "primary": "postgresql://u:secret@h/users", "weight": "heavy"}]
    monkeypatch.setenv("USERS_SHARDS", json.dumps(shards))
    monkeypatch.setenv("USERS_POOL_SIZE", "0")

    with pytest.raises(SettingsError) as caught:
        settings_of(Domain.USERS)

    assert "USERS_SHARDS[0][weight]: " in str(caught.value)
    assert "USERS_POOL_SIZE: " in str(caught.value)
    assert "secret" not in str(caught.value)


def test_operator_errors_are_one_message_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["socialnet", "serve", "users"])
    monkeypatch.setenv("USERS_SHARDS", "[no json")

    with pytest.raises(SystemExit) as caught:
        cli.main()

    assert caught.value.code == 1
    printed = capsys.readouterr().err
    assert printed.startswith("Error: The settings of users cannot be read")
    assert "Traceback" not in printed


def test_schemas_are_exported_and_checked(tmp_path: Path) -> None:
    shutil.copy(_ROOT / "supergraph.yaml", tmp_path)
    directory = str(tmp_path / "schema")
    files = ["api.graphql", "subgraphs/posts.graphql", "subgraphs/users.graphql"]

    missing = _invoke("schema", "export", "--check", "--directory", directory)
    assert missing.exit_code == 1
    assert not (tmp_path / "schema").exists()

    written = _invoke("schema", "export", "--directory", directory)
    assert written.exit_code == 0
    fresh = _invoke("schema", "export", "--check", "--directory", directory)
    assert fresh.exit_code == 0
    for name in [*files, "supergraph.graphql"]:
        assert (tmp_path / "schema" / name).read_text().endswith("}\n")

    api = tmp_path / "schema" / "api.graphql"
    api.write_text(api.read_text().replace("type Query", "type Question"))
    stale = _invoke("schema", "export", "--check", "--directory", directory)
    assert stale.exit_code == 1
    assert "-type Question {" in stale.output
    assert "+type Query {" in stale.output
    assert "api.graphql. Run `make schema`" in stale.output


def test_subgraphs_missing_from_the_configuration_are_named(tmp_path: Path) -> None:
    (tmp_path / "supergraph.yaml").write_text(
        "subgraphs:\n  users:\n    routing_url: http://localhost:4001/graphql\n"
        "    schema: {sdl: 'type Query { a: Int }'}\n"
    )

    result = _invoke("schema", "export", "--directory", str(tmp_path / "schema"))

    assert result.exit_code == 1
    assert "lists users, the code has posts, users" in str(result.exception)
