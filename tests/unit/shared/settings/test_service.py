"""Settings of a service from its environment."""

from __future__ import annotations

from typing import ClassVar

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsConfigDict

from shared.settings import Environment, ServiceSettings
from shared.sharding import ShardSettings, TopologyError

SHARDS = (
    '[{"id": "shard-0", "primary": "postgresql://app:secret@db0/notes", "weight": 3},'
    ' {"id": "shard-1", "primary": "postgresql://app:secret@db1/notes",'
    '  "replicas": ["postgresql://app:secret@db1b/notes"]}]'
)


class NotesSettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="NOTES_", env_file=None)
    domain: ClassVar[str] = "notes"


def settings() -> NotesSettings:
    return NotesSettings()


def test_shards_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_SHARDS", SHARDS)
    monkeypatch.setenv("NOTES_SLOTS", "8")

    topology = settings().topology()

    assert topology.owners == ("shard-0",) * 6 + ("shard-1",) * 2
    assert topology.shards[1].primary == "postgresql://app:secret@db1/notes"
    assert topology.shards[1].replicas == ("postgresql://app:secret@db1b/notes",)


def test_limits_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_SHARDS", SHARDS)
    monkeypatch.setenv("NOTES_ENVIRONMENT", "development")
    monkeypatch.setenv("NOTES_POOL_SIZE", "3")
    monkeypatch.setenv("NOTES_STATEMENT_TIMEOUT", "1.5")
    monkeypatch.setenv("NOTES_PREPARED_STATEMENTS", "50")

    assert settings().environment is Environment.DEVELOPMENT
    assert settings().shard_settings() == ShardSettings(
        domain="notes",
        application_name="socialnet-notes",
        pool_size=3,
        statement_timeout=1.5,
        prepared_statements=50,
    )


def test_the_safe_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_SHARDS", SHARDS)

    assert settings().environment is Environment.PRODUCTION


def test_passwords_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_SHARDS", SHARDS)
    monkeypatch.setenv("NOTES_ROUTER_SECRETS", f'["{"only-the-router-knows" * 2}"]')

    shown = repr(settings())

    assert "app:secret" not in shown
    assert "only-the-router-knows" not in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTES_SHARDS", '[{"id": "shard-0"}]'),
        ("NOTES_SHARDS", '[{"id": "shard-0", "primary": "x", "replica": "y"}]'),
        ("NOTES_SHARDS", '[{"id": "shard-0", "primary": "x", "weight": 0}]'),
        ("NOTES_POOL_SIZE", "0"),
        ("NOTES_STATEMENT_TIMEOUT", "0"),
        ("NOTES_ENVIRONMENT", "dev"),
    ],
)
def test_senseless_settings_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("NOTES_SHARDS", SHARDS)
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError):
        settings()


def test_missing_shards_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTES_SHARDS", raising=False)

    with pytest.raises(ValidationError, match="shards"):
        settings()


def test_shards_that_contradict_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTES_SHARDS", SHARDS.replace("shard-1", "shard-0"))

    with pytest.raises(TopologyError, match="stands twice"):
        settings().topology()
