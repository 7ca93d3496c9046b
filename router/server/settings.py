"""The router's settings: environment variables ``ROUTER_<NAME>``, or keyword arguments in code.

Read once when a process starts; no request looks at the environment. Every limit has a safe
default.
"""

from __future__ import annotations

import re
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from router.executor.resumption import ANY_FIELD, CursorRule
from router.executor.settings import DEFAULT_ERROR_EXTENSIONS, GapPolicy
from router.executor.withheld import ReportTo
from router.query_graph.paths import MAX_EVALUATIONS
from router.server.access.issuers import JwtIssuer
from router.server.header_rules import NEVER_FORWARDED, HeaderRuleSetting
from router.server.router_secret import ROUTER_HEADER
from router.server.subgraph_overrides import SubgraphOverrides

__all__ = [
    "AccessMode",
    "BadTokens",
    "ClientAddressHeader",
    "CostMode",
    "Environment",
    "LogFormat",
    "PersistedDocuments",
    "RouterSettings",
    "WithoutRedis",
]

_RATE = r"^[1-9][0-9]{0,8}/[1-9][0-9]{0,6}$"

_CURSOR_RULE = re.compile(r"[_A-Za-z][_0-9A-Za-z]*:[_A-Za-z][_0-9A-Za-z]*")


class Environment(StrEnum):
    """Where the process runs; decides the defaults of what is shown to clients."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"
    TEST = "test"


class LogFormat(StrEnum):
    """How log lines are written to standard error."""

    CONSOLE = "console"
    JSON = "json"


class CostMode(StrEnum):
    """What is done with the estimated cost of operations."""

    OFF = "off"
    MEASURE = "measure"
    ENFORCE = "enforce"


class WithoutRedis(StrEnum):
    """How requests are limited while the shared buckets of rate limits cannot be reached."""

    LOCAL = "local"  # by buckets of this process
    OPEN = "open"  # not at all
    CLOSED = "closed"  # all are refused


class ClientAddressHeader(StrEnum):
    """Where trusted proxies write whom they forward for."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class PersistedDocuments(StrEnum):
    """What the allow-list of documents is used for."""

    OFF = "off"
    REPORT = "report"
    ENFORCE = "enforce"


class BadTokens(StrEnum):
    """What becomes of a request whose access token is not good."""

    REJECT = "reject"
    IGNORE = "ignore"


class AccessMode(StrEnum):
    """What becomes of an operation that asks for what its caller may not see."""

    FILTER = "filter"
    REJECT = "reject"
    DRY_RUN = "dry_run"
    OFF = "off"


class RouterSettings(BaseSettings):
    """Everything about a router process that can be configured.

    Settings that are None take their value from ``environment``: see :attr:`shows_introspection`
    and its neighbours.
    """

    model_config = SettingsConfigDict(
        env_prefix="ROUTER_", frozen=True, extra="ignore", env_file=".env"
    )

    environment: Environment = Environment.PRODUCTION

    # Where it listens.
    host: str = "127.0.0.1"
    port: int = Field(default=4000, ge=0, le=65535)
    path: str = Field(default="/graphql", pattern=r"^/[A-Za-z0-9/_.~-]*$")
    workers: PositiveInt = 1
    shutdown_delay: NonNegativeFloat = Field(
        default=0.0,
        description="Seconds that it goes on serving when told to stop, while /ready says no.",
    )
    shutdown_timeout: PositiveInt = Field(
        default=30, description="Seconds that requests in flight have to finish."
    )

    # Reloading the supergraph.
    reload_interval: NonNegativeFloat = Field(
        default=1.0, description="Seconds between looks at its files; 0: only on SIGHUP."
    )
    reload_warm_operations: NonNegativeInt = Field(
        default=100, description="Operations that are planned again before the switch, at most."
    )
    reload_warm_time: NonNegativeFloat = Field(
        default=10.0, description="Seconds that this may take."
    )
    reload_drain_time: NonNegativeFloat = Field(
        default=60.0,
        description="Seconds over which subscriptions of the old supergraph are ended.",
    )

    # Progressive overrides.
    override_labels: dict[str, bool | Annotated[float, Field(ge=0, le=100)]] = Field(
        default={},
        description="Labels of @override: on, off, or the percentage of requests they are on for.",
    )
    override_sticky_header: str | None = Field(
        default=None,
        description="The forwarded header that tells clients apart; without: chance per request.",
    )

    # What clients may see. None: yes in development and test, no in production.
    introspection: bool | None = None
    suggestions: bool | None = Field(
        default=None, description="'Did you mean ...' in validation errors."
    )
    graphiql: bool | None = None
    graphiql_directory: Path | None = Field(
        default=None, description="Another build of GraphiQL than the one that comes along."
    )
    graphiql_query: str | None = Field(
        default=None, description="The query that GraphiQL opens with."
    )
    expose_extensions: bool | None = Field(
        default=None,
        description="Answer `x-router-debug: 1` with plan, timings, subgraph extensions.",
    )

    # Limits.
    max_body_bytes: PositiveInt = 1_048_576
    max_tokens: PositiveInt = Field(default=10_000, description="Lexical tokens of a document.")
    max_definitions: PositiveInt = Field(
        default=200, description="Operations and fragments of a document."
    )
    max_depth: PositiveInt = Field(default=30, description="Fields in each other.")
    max_fragment_depth: PositiveInt = Field(
        default=50, description="Fragments in each other, named and inline."
    )
    max_height: PositiveInt = Field(
        default=2_000, description="Fields of an operation, its fragments spread out."
    )
    max_aliases: PositiveInt = Field(default=100, description="Those of them with an alias.")
    max_root_fields: PositiveInt = Field(default=50, description="Those of them at the root.")
    max_directives: PositiveInt = Field(
        default=200, description="Uses of directives in an operation, its fragments spread out."
    )
    max_input_depth: PositiveInt = Field(
        default=50, le=200, description="Lists and objects in each other: literals and variables."
    )
    max_input_values: PositiveInt = Field(
        default=10_000, description="Items and members in one variable, on all levels."
    )
    max_literal_values: PositiveInt = Field(
        default=500, description="Items and members of an operation's literals."
    )
    max_validation_work: PositiveInt = Field(
        default=50_000, description="Comparisons of fields that may share a response name."
    )
    max_validation_errors: PositiveInt = 20
    request_timeout: PositiveFloat = Field(
        default=30.0, description="Seconds that a query or mutation may take altogether."
    )

    # Cost, from @cost and @listSize.
    cost_mode: CostMode = Field(
        default=CostMode.OFF,
        description="measure: metrics only; enforce: refuse operations over max_cost.",
    )
    max_cost: PositiveFloat = Field(default=1_000, description="Estimated cost of an operation.")
    cost_list_size: PositiveInt = Field(
        default=10, description="Assumed size of lists without @listSize."
    )
    cost_mutation: NonNegativeFloat = Field(
        default=10, description="What a mutation costs beside its fields."
    )

    # Rates: "600/60" is 600 in 60 seconds, which may come at once.
    rate_limit_address: str | None = Field(
        default=None, pattern=_RATE, description="Requests of one address."
    )
    rate_limit_user: str | None = Field(
        default=None, pattern=_RATE, description="Requests of one user."
    )
    rate_limit_mutations: str | None = Field(
        default=None, pattern=_RATE, description="Mutations of one user."
    )
    rate_limit_cost: str | None = Field(
        default=None, pattern=_RATE, description="Estimated cost of one user's operations."
    )
    rate_limit_redis_url: SecretStr | None = Field(
        default=None, description="Keeps the rates for all workers; else each has its own."
    )
    rate_limit_redis_timeout: PositiveFloat = Field(
        default=0.1, description="Seconds that Redis has to answer."
    )
    rate_limit_without_redis: WithoutRedis = Field(
        default=WithoutRedis.LOCAL, description="What happens while Redis does not answer."
    )
    rate_limit_max_buckets: PositiveInt = Field(
        default=100_000, description="Addresses and users that one worker remembers."
    )

    # Who asks.
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = Field(
        default=(), description="Networks of proxies whose word on the client's address counts."
    )
    client_address_header: ClientAddressHeader = Field(
        default=ClientAddressHeader.X_FORWARDED_FOR, description="Where they write it."
    )

    # Caches, per supergraph and process.
    operation_cache_size: PositiveInt = 2_000
    operation_cache_characters: PositiveInt = Field(
        default=8_000_000, description="Total length of the cached operations' texts."
    )

    # Planning.
    planning_limit: PositiveInt = Field(
        default=MAX_EVALUATIONS,
        description="Ways through the subgraphs that are weighed for one operation.",
    )

    # Subgraphs.
    subgraph_urls: dict[str, str] = Field(
        default={}, description="Addresses by subgraph name, in place of the supergraph's."
    )
    subgraph_timeout: PositiveFloat = Field(
        default=30.0, description="Seconds that one fetch may take, retries included."
    )
    subgraph_connect_timeout: PositiveFloat = Field(
        default=5.0, description="Seconds that opening a connection may take."
    )
    subgraph_max_connections: PositiveInt = Field(
        default=100, description="Connections to one subgraph, per process."
    )
    subgraph_max_waiting: NonNegativeInt = Field(
        default=1000, description="Requests that may wait for one; more fail at once."
    )
    subgraph_idle_timeout: NonNegativeFloat = Field(
        default=4.0,
        description="Seconds that an idle connection is used again; less than the server's limit.",
    )
    subgraph_max_response_bytes: PositiveInt = Field(
        default=16_777_216, description="A subgraph's answer, as it comes and decompressed."
    )
    subgraph_compression: bool = Field(
        default=False, description="Offer gzip to subgraphs; pays where the network is slow."
    )
    subgraph_retries: NonNegativeInt = Field(
        default=2, description="How often a query that did not reach its subgraph is sent again."
    )
    subgraph_retry_delay: PositiveFloat = Field(
        default=0.05,
        description="Longest wait before the first retry, in seconds; doubled each time.",
    )
    subgraph_retry_budget: float = Field(
        default=0.1, ge=0.0, le=1.0, description="Share of requests that may be retries."
    )
    circuit_breaker: bool = Field(
        default=True, description="Leave a subgraph alone for a while when it fails too often."
    )
    circuit_breaker_window: PositiveFloat = Field(
        default=10.0, description="Seconds of which failures are counted."
    )
    circuit_breaker_min_requests: PositiveInt = Field(
        default=20, description="Fewer in the window decide nothing."
    )
    circuit_breaker_failure_rate: float = Field(
        default=0.5, gt=0.0, le=1.0, description="Share of failures that opens the circuit."
    )
    circuit_breaker_open: PositiveFloat = Field(
        default=5.0, description="Seconds until a request may try again."
    )
    subgraph_overrides: dict[str, SubgraphOverrides] = Field(
        default={}, description="Other values of the subgraph settings, by subgraph name."
    )
    deadline_header: str = Field(
        default="x-request-timeout-ms",
        pattern=r"^[a-z0-9-]*$",
        description="Tells a subgraph how long its answer is waited for; empty: nothing does.",
    )
    subgraph_secret: SecretStr | None = Field(
        default=None, description="Proves to subgraphs that a request is the router's."
    )
    subgraph_secrets: dict[str, SecretStr] = Field(
        default={}, description="The same for single subgraphs, by name."
    )
    mask_subgraph_errors: bool | None = Field(
        default=None,
        description="Hide messages of errors without a code. None: in production.",
    )
    subgraph_error_codes: tuple[str, ...] | None = Field(
        default=None, description="The only codes whose errors are shown."
    )
    subgraph_error_extensions: tuple[str, ...] = Field(
        default=tuple(sorted(DEFAULT_ERROR_EXTENSIONS)),
        description="Members of a subgraph error's extensions that are shown.",
    )
    deduplicate: bool = Field(
        default=True, description="Share the answer of equal queries to a subgraph in flight."
    )

    # HTTP.
    forward_headers: tuple[str, ...] = Field(
        default=("authorization", "accept-language", "traceparent", "tracestate", "baggage"),
        description="Request headers that subgraphs receive; x-request-id always is one.",
    )
    mutation_headers: tuple[str, ...] = Field(
        default=(), description="Request headers that subgraphs receive with mutations alone."
    )
    client_address_forwarded_as: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]+$",
        description="Header in which subgraphs receive the client's address with mutations.",
    )
    header_rules: tuple[HeaderRuleSetting, ...] = Field(
        default=(), description="Headers to propagate, rename, insert or remove, by subgraph."
    )
    response_headers: tuple[str, ...] = Field(
        default=(), description="Headers of subgraphs' answers that clients get."
    )
    carried_headers: tuple[str, ...] = Field(
        default=(),
        description="Headers of subgraphs' answers to mutations that come with later requests.",
    )
    cors_origins: tuple[str, ...] = Field(default=(), description="Allowed origins; '*' for any.")
    cors_origin_regex: str | None = Field(
        default=None, description="Allowed origins by a pattern of the whole origin."
    )
    cors_credentials: bool = False
    cors_headers: tuple[str, ...] = Field(
        default=(), description="Request headers allowed beside those that the router knows."
    )
    cors_expose_headers: tuple[str, ...] = Field(
        default=("x-request-id",), description="Response headers that pages may read."
    )
    cors_max_age: NonNegativeInt = Field(
        default=7200, description="Seconds that a browser may remember a preflight."
    )
    cors_private_network: bool = Field(
        default=False, description="Allow pages of the internet into a private network."
    )
    csrf_prevention: bool = True
    csrf_headers: tuple[str, ...] = Field(
        default=(
            "x-apollo-operation-name",
            "apollo-require-preflight",
            "graphql-require-preflight",
            "x-requested-with",
            "x-router-debug",
        ),
        description="With one of these, a request by another site needs a CORS preflight.",
    )

    compression: bool = Field(
        default=True, description="Compress answers with zstd or gzip for clients that want it."
    )
    compression_min_bytes: PositiveInt = Field(
        default=1_024, description="Smaller answers are sent as they are."
    )
    keep_alive_timeout: PositiveInt = Field(
        default=75,
        description="Seconds that an idle connection is kept: longer than load balancers do.",
    )
    body_timeout: PositiveFloat = Field(
        default=30.0, description="Seconds that a request body that comes in pieces may take."
    )
    batching: bool = Field(default=False, description="Take lists of operations in one request.")
    max_batch_size: PositiveInt = Field(default=10, description="Operations in one request.")
    defer: bool = Field(
        default=True,
        description="Answer in parts where an operation has `@defer` and its client takes parts.",
    )
    max_deferred_fetches: PositiveInt = Field(
        default=50,
        description="Fetches for deferred fields; an operation with more is answered at once.",
    )
    uploads: bool = Field(default=False, description="Take files along with mutations.")
    max_uploads: PositiveInt = Field(default=10, description="Files in one request.")
    max_upload_file_bytes: PositiveInt = Field(default=10_485_760, description="Of one file.")
    max_upload_bytes: PositiveInt = Field(
        default=52_428_800, description="Of a request with all its files."
    )
    upload_timeout: PositiveFloat = Field(
        default=300.0, description="Seconds that a request with files may take to come."
    )

    # Persisted documents.
    apq: bool = Field(default=True, description="Automatic persisted queries.")
    apq_cache_bytes: PositiveInt = Field(
        default=16_777_216, description="Memory for the texts, in each worker."
    )
    apq_redis_url: SecretStr | None = Field(
        default=None, description="Redis where the workers share them, as redis://..."
    )
    apq_redis_timeout: PositiveFloat = Field(
        default=0.25, description="Seconds that Redis may take; then it is done without."
    )
    apq_ttl: PositiveInt = Field(
        default=86_400, description="Seconds that Redis keeps a text that nobody asks for."
    )
    persisted_documents: PersistedDocuments = Field(
        default=PersistedDocuments.OFF,
        description="The allow-list: report documents beside it, or refuse them (enforce).",
    )
    persisted_documents_files: tuple[Path, ...] = Field(
        default=(), description="Its manifests, in Apollo's or Relay's format."
    )
    persisted_documents_interval: PositiveFloat = Field(
        default=5.0, description="Seconds between looks whether a manifest has changed."
    )

    # Access tokens. Without issuers, they are the subgraphs' business alone.
    jwt_issuers: tuple[JwtIssuer, ...] = Field(
        default=(), description="Who issues tokens, and where their keys are."
    )
    jwt_required: bool = Field(default=False, description="Refuse requests without a token.")
    jwt_bad_tokens: BadTokens = Field(
        default=BadTokens.REJECT,
        description="A token that is not good: reject the request, or take it as anonymous.",
    )
    jwt_header: str = "authorization"
    jwt_scheme: str = Field(default="Bearer", description="Before the token in its header.")
    jwt_cookie: str | None = Field(
        default=None, description="A cookie to take the token from when the header is absent."
    )
    jwt_leeway: NonNegativeFloat = Field(
        default=10.0, description="Seconds by which clocks may differ."
    )
    jwt_required_claims: tuple[str, ...] = ("exp",)
    jwt_scope_claim: str = "scope"
    jwt_policy_claim: str = "policies"
    jwt_cache_size: PositiveInt = Field(default=10_000, description="Verified tokens remembered.")
    jwks_max_age: PositiveFloat = Field(
        default=300.0, description="Seconds after which keys are read again."
    )
    jwks_min_interval: PositiveFloat = Field(
        default=10.0, description="Seconds between two attempts to read keys at least."
    )
    jwks_timeout: PositiveFloat = Field(default=5.0, description="Seconds to read keys.")
    revocation_redis_url: SecretStr | None = Field(
        default=None, description="Redis where all routers hear of revoked tokens, as redis://..."
    )
    revocation_stream: str = Field(
        default="router:revocations", min_length=1, description="The stream that says so there."
    )
    revocation_max_age: PositiveFloat = Field(
        default=86_400.0,
        description="Seconds that a revocation is remembered; tokens must not live longer.",
    )

    # Access rules: @authenticated, @requiresScopes, @policy.
    access_mode: AccessMode = Field(
        default=AccessMode.FILTER,
        description="filter: null what a caller may not see; reject: refuse the request; "
        "dry_run: only report; off.",
    )
    access_report: ReportTo = Field(
        default=ReportTo.ERRORS, description="Where a filtered response says so."
    )
    policy_url: str | None = Field(
        default=None, description="A service that decides policies, in place of the token."
    )
    policy_timeout: PositiveFloat = Field(default=2.0, description="Seconds that it has.")

    # Subscriptions, over WebSocket or HTTP.
    subscription_shared_fields: tuple[str, ...] = Field(
        default=(),
        description="Subscription fields whose equal subscriptions share a source; '*' for all.",
    )
    subscription_ignored_headers: tuple[str, ...] = Field(
        default=("traceparent", "tracestate", "baggage"),
        description="Forwarded headers that subscriptions and upstream connections may differ in.",
    )
    subscription_cursors: dict[str, str] = Field(
        default={ANY_FIELD: "after:cursor"},
        description="'argument:field' of subscriptions that can go on after a cursor, by field.",
    )
    subscription_resubscribe_timeout: NonNegativeFloat = Field(
        default=60.0, description="Seconds that a lost subgraph has to come back; 0: none."
    )
    subscription_on_gap: GapPolicy = Field(
        default=GapPolicy.END,
        description="What becomes of a subscription that lost its subgraph and has no cursor.",
    )
    subgraph_ping_interval: PositiveFloat = Field(
        default=20.0, description="Seconds between pings upstream, and to answer one."
    )

    # Subscriptions over HTTP.
    stream_heartbeat_interval: PositiveFloat = Field(
        default=10.0,
        description="Seconds without an event after which a stream has a sign of life.",
    )
    stream_queue_bytes: PositiveInt = Field(
        default=1_048_576, description="Bytes that may wait for a stream's client; then it ends."
    )
    stream_close_timeout: PositiveFloat = Field(
        default=5.0, description="Seconds that a stream's client has to take the end."
    )

    # WebSocket.
    websocket_max_connections_per_address: PositiveInt | None = Field(
        default=None, description="At a time, in one worker."
    )
    websocket_max_connections_per_user: PositiveInt | None = Field(
        default=None, description="At a time, in one worker."
    )
    websocket_init_timeout: PositiveFloat = Field(
        default=10.0, description="Seconds that a client has to send connection_init."
    )
    websocket_max_operations: PositiveInt = Field(
        default=100, description="Operations at a time on one connection."
    )
    websocket_queue_bytes: PositiveInt = Field(
        default=1_048_576,
        description="Bytes that may wait for a client; more closes its connection (4413).",
    )
    websocket_close_timeout: PositiveFloat = Field(
        default=5.0, description="Seconds that a client has to take what is still to be sent."
    )
    websocket_ping_interval: PositiveFloat = Field(
        default=20.0, description="Seconds between pings to a client."
    )
    websocket_ping_timeout: PositiveFloat = Field(
        default=20.0, description="Seconds that a client has to answer one."
    )
    websocket_check_origin: bool = Field(
        default=True,
        description="Refuse browsers' connections from origins other than ours and cors_origins.",
    )

    # Observability.
    log_format: LogFormat | None = None
    log_level: str = Field(default="info", pattern=r"^(debug|info|warning|error)$")
    otlp_endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Where OpenTelemetry spans go, by OTLP over HTTP: http://collector:4318/v1/traces",
    )
    trace_sample_ratio: float = Field(
        default=1.0, ge=0.0, le=1.0, description="Share of traces begun here that are recorded."
    )
    service_name: str = Field(default="router", description="What spans say they are of.")
    access_log: bool = Field(default=True, description="One line per request; costs CPU.")
    readiness_timeout: PositiveFloat = Field(
        default=2.0, description="Seconds that a subgraph has to answer /ready's question."
    )
    readiness_cache: PositiveFloat = Field(
        default=1.0, description="Seconds that an answer of /ready is good for."
    )
    max_operation_labels: PositiveInt = Field(
        default=200, description="Operation names that metrics tell apart; the others are '_other'."
    )
    gc_threshold: NonNegativeInt = Field(
        default=50_000,
        description="New containers after which the garbage collector runs; 0: Python's own.",
    )

    @property
    def client_headers(self) -> tuple[str, ...]:
        """The headers of clients that every subgraph gets."""
        return (*self.forward_headers, *self.carried_headers)

    @model_validator(mode="after")
    def _sticky_header_is_forwarded(self) -> Self:
        header = self.override_sticky_header
        if header is not None and header not in self.forward_headers:
            raise ValueError(f"override_sticky_header: '{header}' is not one of forward_headers")
        return self

    @field_validator("override_sticky_header")
    @classmethod
    def _lower_one(cls, name: str | None) -> str | None:
        return None if name is None else name.strip().lower()

    @field_validator(
        "forward_headers",
        "mutation_headers",
        "csrf_headers",
        "response_headers",
        "carried_headers",
        "subscription_ignored_headers",
    )
    @classmethod
    def _lower(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)

    @model_validator(mode="after")
    def _the_address_is_ours_to_tell(self) -> Self:
        name = self.client_address_forwarded_as
        if name and (
            name in NEVER_FORWARDED or name in {*self.client_headers, *self.mutation_headers}
        ):
            raise ValueError(f"client_address_forwarded_as: '{name}' is something else already")
        return self

    @field_validator("forward_headers", "mutation_headers", "carried_headers")
    @classmethod
    def _keep_the_secret(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if ROUTER_HEADER in names:
            raise ValueError(f"{ROUTER_HEADER} is the router's own and cannot be forwarded")
        return names

    @field_validator("jwt_header")
    @classmethod
    def _lower_name(cls, name: str) -> str:
        return name.strip().lower()

    @field_validator("jwt_issuers")
    @classmethod
    def _distinct(cls, issuers: tuple[JwtIssuer, ...]) -> tuple[JwtIssuer, ...]:
        if len({issuer.issuer for issuer in issuers}) != len(issuers):
            raise ValueError("an issuer is listed twice")
        return issuers

    @field_validator("cors_origin_regex")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        try:
            re.compile(pattern or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return pattern

    @model_validator(mode="after")
    def _nobody_is_anonymous(self) -> Self:
        if self.jwt_required and self.jwt_bad_tokens is BadTokens.IGNORE:
            raise ValueError("jwt_bad_tokens: 'ignore' makes callers anonymous: not jwt_required")
        return self

    @model_validator(mode="after")
    def _revocations_need_tokens(self) -> Self:
        if self.revocation_redis_url is not None and not self.jwt_issuers:
            raise ValueError("revocation_redis_url needs jwt_issuers: else no token is looked at")
        return self

    @model_validator(mode="after")
    def _credentials_are_for_named_origins(self) -> Self:
        if not self.cors_credentials and self.jwt_cookie is None:
            return self
        if "*" in self.cors_origins or "null" in self.cors_origins:
            raise ValueError(
                "cors_origins '*' and 'null' would let any page act with a user's cookies; "
                "name the origins, or do without cors_credentials and jwt_cookie"
            )
        if self.jwt_cookie is not None and not (
            self.csrf_prevention and self.websocket_check_origin
        ):
            raise ValueError("jwt_cookie needs csrf_prevention and websocket_check_origin")
        return self

    @property
    def allows_cross_origin(self) -> bool:
        """Whether pages of other origins are answered at all."""
        return bool(self.cors_origins) or self.cors_origin_regex is not None

    def allows_origin(self, origin: str) -> bool:
        """Whether pages of an origin, as a browser names it, are answered."""
        if "*" in self.cors_origins or origin in self.cors_origins:
            return True
        pattern = self.cors_origin_regex
        return pattern is not None and re.fullmatch(pattern, origin) is not None

    @field_validator("subscription_cursors")
    @classmethod
    def _cursor_rules(cls, rules: dict[str, str]) -> dict[str, str]:
        for field, rule in rules.items():
            if _CURSOR_RULE.fullmatch(rule) is None:
                raise ValueError(f"{field!r}: {rule!r} is not 'argument:field'")
        return rules

    @property
    def cursor_rules(self) -> dict[str, CursorRule]:
        """``subscription_cursors`` as the executor takes them."""
        return {
            field: CursorRule(*rule.split(":")) for field, rule in self.subscription_cursors.items()
        }

    @property
    def shows_introspection(self) -> bool:
        """Whether clients may introspect the API schema."""
        return self._unless_production(self.introspection)

    @property
    def shows_suggestions(self) -> bool:
        """Whether validation errors may suggest names of the schema."""
        return self._unless_production(self.suggestions)

    @property
    def shows_graphiql(self) -> bool:
        """Whether a browser gets GraphiQL at the GraphQL path."""
        return self._unless_production(self.graphiql)

    @property
    def shows_extensions(self) -> bool:
        """Whether a client that asks with ``x-router-debug`` gets the plan and timings."""
        return self._unless_production(self.expose_extensions)

    @property
    def needs_costs(self) -> bool:
        """Whether the cost of operations is of any interest."""
        return self.cost_mode is not CostMode.OFF or self.rate_limit_cost is not None

    @property
    def masks_subgraph_errors(self) -> bool:
        """Whether messages of subgraphs' accidental errors are kept from clients."""
        if self.mask_subgraph_errors is None:
            return self.environment is Environment.PRODUCTION
        return self.mask_subgraph_errors

    @property
    def logs_as(self) -> LogFormat:
        """The log format: as set, else for people in development and for machines elsewhere."""
        if self.log_format is not None:
            return self.log_format
        development = self.environment is Environment.DEVELOPMENT
        return LogFormat.CONSOLE if development else LogFormat.JSON

    def _unless_production(self, setting: bool | None) -> bool:
        return self.environment is not Environment.PRODUCTION if setting is None else setting
