"""What every subgraph can be told: its shards, pools, Redis, Kafka and environment.

A service subclasses ``ServiceSettings`` with its own prefix and fields::

    class UsersSettings(ServiceSettings):
        model_config = SettingsConfigDict(env_prefix="USERS_")
        domain: ClassVar[str] = "users"

so that ``USERS_SHARDS='[{"id": "shard-0", "primary": "postgresql+asyncpg://..."}]'`` and the like
are read.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, FilePath, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.errors import OperatorError
from shared.events.kafka import KafkaSettings, SaslMechanism, SecurityProtocol
from shared.sharding import DEFAULT_SLOTS, ShardConfig, ShardId, ShardSettings, Topology

__all__ = ["Environment", "ServiceSettings", "ShardEntry"]


class Environment(StrEnum):
    """Where the process runs; development adds diagnostics to answers."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class ShardEntry(BaseModel):
    """One element of ``<SERVICE>_SHARDS``; the addresses are of this domain's database.

    ``direct``: those of the same servers, primary first, when the other ones are PgBouncer's.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    primary: SecretStr
    replicas: tuple[SecretStr, ...] = ()
    direct: tuple[SecretStr, ...] = ()
    weight: int = Field(default=1, ge=1)


RouterSecret = Annotated[SecretStr, Field(min_length=32)]
"""What the router proves itself with; long enough not to be guessed."""


class ServiceSettings(BaseSettings):
    """Settings common to all subgraphs. All times are in seconds."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    domain: ClassVar[str]

    environment: Environment = Environment.PRODUCTION
    shards: tuple[ShardEntry, ...]
    slots: int = DEFAULT_SLOTS
    redis_url: str | None = None
    kafka_bootstrap_servers: str | None = None
    kafka_topic_prefix: str = Field(default="socialnet", pattern=r"^[A-Za-z0-9._-]{1,100}$")
    kafka_security_protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    kafka_sasl_mechanism: SaslMechanism = SaslMechanism.SCRAM_SHA_512
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: FilePath | None = None
    kafka_attempts: int = Field(default=5, ge=1)
    kafka_concurrency: int = Field(default=16, ge=1)
    router_secrets: tuple[RouterSecret, ...] = ()
    revocation_seconds: float = Field(default=3600.0, gt=0)
    # Connections beyond the pool are opened and closed per use, at many times a query's price.
    pool_size: int = Field(default=20, ge=1)
    max_overflow: int = Field(default=0, ge=0)
    pool_timeout: float = Field(default=5.0, gt=0)
    connect_timeout: float = Field(default=3.0, gt=0)
    statement_timeout: float = Field(default=5.0, gt=0)
    scatter_timeout: float = Field(default=5.0, gt=0)
    scatter_concurrency: int = Field(default=16, ge=1)
    prepared_statements: int | None = Field(default=None, ge=0)
    health_interval: float = Field(default=1.0, gt=0)
    replica_max_lag: float = Field(default=10.0, gt=0)

    def accepted_router_secrets(self) -> tuple[str, ...]:
        """What requests are checked for. In production a service that would answer anybody does
        not start: ``OperatorError``.
        """
        if not self.router_secrets and self.environment is Environment.PRODUCTION:
            name = f"{self.domain.upper()}_ROUTER_SECRETS"
            raise OperatorError(f"{name} must be set in production: a JSON list of secrets")
        return tuple(secret.get_secret_value() for secret in self.router_secrets)

    def topology(self) -> Topology:
        """What ``shards`` and ``slots`` describe. Raises ``TopologyError`` on contradictions."""
        return Topology.initial(
            [
                ShardConfig(
                    id=ShardId(entry.id),
                    primary=entry.primary.get_secret_value(),
                    replicas=tuple(url.get_secret_value() for url in entry.replicas),
                    direct=tuple(url.get_secret_value() for url in entry.direct),
                    weight=entry.weight,
                )
                for entry in self.shards
            ],
            self.slots,
        )

    def kafka(self) -> KafkaSettings | None:
        """The broker that events go through; None when they stay in the process."""
        if self.kafka_bootstrap_servers is None:
            return None
        password = self.kafka_password
        return KafkaSettings(
            bootstrap_servers=self.kafka_bootstrap_servers,
            topic_prefix=self.kafka_topic_prefix,
            security_protocol=self.kafka_security_protocol,
            sasl_mechanism=self.kafka_sasl_mechanism,
            username=self.kafka_username,
            password=None if password is None else password.get_secret_value(),
            ca_file=self.kafka_ca_file,
            attempts=self.kafka_attempts,
            concurrency=self.kafka_concurrency,
        )

    def shard_settings(self) -> ShardSettings:
        """Pools and limits for ``Shards``."""
        return ShardSettings(
            domain=self.domain,
            application_name=f"socialnet-{self.domain}",
            pool_size=self.pool_size,
            max_overflow=self.max_overflow,
            pool_timeout=self.pool_timeout,
            connect_timeout=self.connect_timeout,
            statement_timeout=self.statement_timeout,
            scatter_timeout=self.scatter_timeout,
            scatter_concurrency=self.scatter_concurrency,
            prepared_statements=self.prepared_statements,
            health_interval=self.health_interval,
            replica_max_lag=self.replica_max_lag,
        )
