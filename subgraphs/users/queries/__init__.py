"""Root queries of the users subgraph, a module per subject. Thin: read arguments, ask loaders or
services, wrap.
"""

import strawberry

from subgraphs.users.queries.contacts import ContactQueries
from subgraphs.users.queries.devices import DeviceQueries
from subgraphs.users.queries.privacy import PrivacyQueries
from subgraphs.users.queries.search import SearchQueries
from subgraphs.users.queries.sessions import SessionQueries
from subgraphs.users.queries.stats import StatsQueries
from subgraphs.users.queries.users import UserQueries

__all__ = ["Query"]


@strawberry.type
class Query(
    UserQueries,
    SearchQueries,
    ContactQueries,
    PrivacyQueries,
    SessionQueries,
    StatsQueries,
    DeviceQueries,
):
    """What can be asked of the users domain."""
