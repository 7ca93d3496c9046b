"""Where the broker is, how to prove oneself to it, and what topics and groups are called.

``shared.settings`` makes it from ``<SERVICE>_KAFKA_*``.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["KafkaSettings", "SaslMechanism", "SecurityProtocol"]


class SecurityProtocol(StrEnum):
    """How a connection to the broker is protected."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"


class SaslMechanism(StrEnum):
    """How a user proves to be the user."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


@dataclass(frozen=True, slots=True, kw_only=True)
class KafkaSettings:
    """One cluster of brokers, and how its clients behave. Times are in seconds."""

    bootstrap_servers: str  # host:port, several with commas
    topic_prefix: str = "socialnet"
    security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    sasl_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None
    timeout: float = 10.0  # a request, and handing over a batch
    session_timeout: float = 10.0  # a consumer that is silent for so long loses its partitions
    rebalance_timeout: float = 30.0  # to finish events under way when partitions move
    commit_interval: float = 1.0
    retry_min: float = 0.2
    retry_max: float = 10.0
    attempts: int = 5  # of a consumer that raises; then the event becomes a dead letter
    concurrency: int = 16  # entities whose events one process handles at a time
    window: int = 1000  # events of a partition begun or waiting past its first unfinished one

    def topic(self, domain: str) -> str:
        """The topic of a domain's events."""
        return f"{self.topic_prefix}.{domain}"

    def group(self, domain: str) -> str:
        """The group of a domain's consumers: all its processes together see each event once."""
        return f"{self.topic_prefix}.{domain}"

    def dead_letter_topic(self, domain: str) -> str:
        """Where events go that the consumers of a domain cannot handle."""
        return f"{self.topic_prefix}.{domain}.dead-letters"

    def client_arguments(self) -> dict[str, Any]:  # Any: aiokafka's own keywords
        """What producers and consumers of aiokafka have in common."""
        return {
            "bootstrap_servers": self.bootstrap_servers,
            "client_id": self.topic_prefix,
            "request_timeout_ms": round(self.timeout * 1000),
            # a topic that is made later, or gets more partitions, is noticed within this time
            "metadata_max_age_ms": 30_000,
            "security_protocol": self.security_protocol.value,
            "ssl_context": self._ssl_context(),
            "sasl_mechanism": self.sasl_mechanism.value,
            "sasl_plain_username": self.username,
            "sasl_plain_password": self.password,
        }

    def _ssl_context(self) -> ssl.SSLContext | None:
        if self.security_protocol not in {SecurityProtocol.SSL, SecurityProtocol.SASL_SSL}:
            return None
        return ssl.create_default_context(cafile=self.ca_file)
