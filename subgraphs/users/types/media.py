"""Media as users refer to it: the media subgraph resolves it."""

import strawberry
from strawberry.federation.schema_directives import Key
from strawberry.federation.types import FieldSet

__all__ = ["Media"]


@strawberry.federation.type(
    keys=[Key(fields=FieldSet("id"), resolvable=False)], description="A picture or another file."
)
class Media:
    """Known here by the ID alone."""

    id: strawberry.ID
