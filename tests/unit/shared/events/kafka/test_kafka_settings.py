from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.events.kafka import KafkaSettings, SaslMechanism, SecurityProtocol
from subgraphs.users.settings import UsersSettings

SHARDS = '[{"id": "shard-0", "primary": "postgresql://u:p@h/d"}]'


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("USERS_SHARDS", SHARDS)
    return monkeypatch


def test_without_a_broker_there_is_no_kafka(environment: pytest.MonkeyPatch) -> None:
    assert UsersSettings().kafka() is None


def test_the_environment_says_where_the_broker_is_and_who_we_are(
    environment: pytest.MonkeyPatch,
) -> None:
    for name, value in {
        "BOOTSTRAP_SERVERS": "a:9092,b:9092",
        "TOPIC_PREFIX": "staging",
        "SECURITY_PROTOCOL": "SASL_SSL",
        "SASL_MECHANISM": "SCRAM-SHA-256",
        "USERNAME": "socialnet",
        "PASSWORD": "secret",
    }.items():
        environment.setenv(f"USERS_KAFKA_{name}", value)

    kafka = UsersSettings().kafka()

    assert kafka is not None
    assert kafka.topic("users") == "staging.users"
    assert kafka.dead_letter_topic("users") == "staging.users.dead-letters"
    assert kafka.group("users") == "staging.users"
    arguments = kafka.client_arguments()
    assert arguments["bootstrap_servers"] == "a:9092,b:9092"
    assert arguments["security_protocol"] == SecurityProtocol.SASL_SSL
    assert arguments["sasl_mechanism"] == SaslMechanism.SCRAM_SHA_256
    assert arguments["sasl_plain_username"] == "socialnet"
    assert arguments["sasl_plain_password"] == "secret"
    context = arguments["ssl_context"]
    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert "secret" not in repr(kafka)


def test_a_plain_connection_has_no_certificates() -> None:
    assert KafkaSettings(bootstrap_servers="a:9092").client_arguments()["ssl_context"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOPIC_PREFIX", "no spaces"),
        ("SECURITY_PROTOCOL", "plain"),
        ("SASL_MECHANISM", "GSSAPI"),
        ("CA_FILE", "/nowhere/ca.pem"),
        ("ATTEMPTS", "0"),
    ],
)
def test_what_cannot_be_is_refused(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(f"USERS_KAFKA_{name}", value)

    with pytest.raises(ValidationError):
        UsersSettings()
