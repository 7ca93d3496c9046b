"""The supergraph as parsed once: types, fields, who resolves what."""

from router.supergraph.errors import SupergraphError, SupergraphErrorCode
from router.supergraph.load import load_supergraph, supergraph_digest
from router.supergraph.model import (
    ContextArgument,
    ContextValue,
    FieldJoin,
    Key,
    Subgraph,
    Supergraph,
    SupergraphField,
    SupergraphType,
    TypeJoin,
    TypeKind,
)

__all__ = [
    "ContextArgument",
    "ContextValue",
    "FieldJoin",
    "Key",
    "Subgraph",
    "Supergraph",
    "SupergraphError",
    "SupergraphErrorCode",
    "SupergraphField",
    "SupergraphType",
    "TypeJoin",
    "TypeKind",
    "load_supergraph",
    "supergraph_digest",
]
