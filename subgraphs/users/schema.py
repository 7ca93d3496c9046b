"""The federation schema of the users subgraph. Importing it does no I/O."""

from strawberry.extensions import ParserCache, ValidationCache

from shared.graphql import StatementsExtension, SubgraphSchema, schema_config
from subgraphs.users.mutations import Mutation
from subgraphs.users.queries import Query
from subgraphs.users.subscriptions import Subscription

__all__ = ["schema", "schema_sdl"]

schema = SubgraphSchema(
    query=Query,
    mutation=Mutation,
    subscription=Subscription,
    config=schema_config(),
    federation_version="2.11",
    extensions=[ParserCache, ValidationCache, StatementsExtension],
)


def schema_sdl() -> str:
    """The subgraph's SDL, as composition takes it."""
    return schema.as_str()
