"""What every subgraph's GraphQL layer is made of: schema, context, connections, subscriptions, the
ASGI application.

Request -> ``create_application`` (health, limits, request id) -> ``SubgraphView`` (HTTP and
WebSocket) -> a ``SubgraphContext`` (who is calling, loaders) -> ``SubgraphSchema`` (execution,
errors fit to be shown) -> the domain.
"""

from shared.graphql.application import create_application
from shared.graphql.connections import Connection, Edge, PageInfo
from shared.graphql.consistency import CONSISTENCY_HEADER
from shared.graphql.context import Authenticator, SubgraphContext
from shared.graphql.extensions import StatementsExtension
from shared.graphql.fields import (
    documented_field,
    documented_mutation,
    documented_subscription,
)
from shared.graphql.inputs import parse_id, parse_ids, request_uuid
from shared.graphql.items import load_items
from shared.graphql.router_secret import ROUTER_HEADER, RouterSecrets
from shared.graphql.scalars import DateTime, schema_config
from shared.graphql.schema import SubgraphSchema
from shared.graphql.streams import EventStream
from shared.graphql.view import SubgraphView

__all__ = [
    "CONSISTENCY_HEADER",
    "ROUTER_HEADER",
    "Authenticator",
    "Connection",
    "DateTime",
    "Edge",
    "EventStream",
    "PageInfo",
    "RouterSecrets",
    "StatementsExtension",
    "SubgraphContext",
    "SubgraphSchema",
    "SubgraphView",
    "create_application",
    "documented_field",
    "documented_mutation",
    "documented_subscription",
    "load_items",
    "parse_id",
    "parse_ids",
    "request_uuid",
    "schema_config",
]
