"""The query plan: what the planner hands to the executor.

A plan is a directed acyclic graph of *fetches*, not a tree of sequences: a fetch starts as soon as
the fetches it depends on have answered (``docs/adr/0004``). ``plan_text`` prints it in the field's
usual Sequence/Parallel form.

Everything here is frozen: one plan serves any number of concurrent requests.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from router.planner.deferrals import Block, Deferral
from router.query_graph.selections import Condition

__all__ = [
    "Block",
    "Condition",
    "ContextSource",
    "ContextVariable",
    "ContextualArgument",
    "Deferral",
    "EntityCall",
    "FetchNode",
    "FieldSelection",
    "FragmentSelection",
    "OperationKind",
    "Path",
    "PathField",
    "QueryPlan",
    "RepresentationField",
    "RepresentationSpec",
    "Selection",
    "SelectionSet",
]


class OperationKind(StrEnum):
    """The kind of a GraphQL operation."""

    QUERY = "query"
    MUTATION = "mutation"
    SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class ContextualArgument:
    """An argument of a subgraph's field that is filled with the contextual value of a number."""

    name: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSelection:
    """One field of a subgraph operation.

    ``response_key`` is the key in the subgraph's answer, ``output_key`` the key under which the
    value stands in the client's answer. They differ where the planner had to rename: two fields
    that conflict in one subgraph though not in the supergraph, or a field that a ``@requires``
    needs with other arguments than the client's (then ``output_key`` is internal, begins with
    ``__``, and never reaches the client).
    """

    name: str
    response_key: str
    output_key: str
    arguments: str = ""  # printed canonically with the parentheses, "" when there are none
    variables: frozenset[str] = frozenset()  # variables used by arguments
    contextual: tuple[ContextualArgument, ...] = ()  # arguments that clients do not see
    conditions: tuple[Condition, ...] = ()  # all must hold
    selections: SelectionSet = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FragmentSelection:
    """An inline fragment of a subgraph operation."""

    type_condition: str
    selections: SelectionSet
    conditions: tuple[Condition, ...] = ()


Selection: TypeAlias = FieldSelection | FragmentSelection
SelectionSet: TypeAlias = tuple[Selection, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentationField:
    """A field of a representation: sent as ``name``, read from the collected object's
    ``source_key``.

    ``is_key``: a null or missing value means there is no such entity to ask for, so the whole
    representation is left out (the object keeps null for what would have come). A missing value
    that is not a key is sent as null. ``type_condition``: the field is only there for objects of
    these runtime types (None: always).
    """

    name: str
    source_key: str
    is_key: bool = True
    type_condition: frozenset[str] | None = None
    selections: tuple[RepresentationField, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSource:
    """A contextual value, read from an object on the path if its runtime type is in ``types``
    (None: any).

    ``field`` leads to the value: of each object it selects one field only. A list on the way makes
    it a list of values. What is null or missing is null; so is the value of an object whose type
    none of the selection's fragments is for (``field`` is None).
    """

    number: int
    types: frozenset[str] | None
    field: RepresentationField | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PathField:
    """One step down the client's answer: the field's output key, then as many list levels as the
    field's type has.

    ``types`` are the runtime types an object found *there* may have for the path to go on through
    it; None means any. ``contexts`` are the contextual values that the object which *has* the field
    gives to what is further down; the last one given on the way counts.
    """

    key: str
    list_depth: int = 0
    types: frozenset[str] | None = None
    contexts: tuple[ContextSource, ...] = ()


Path: TypeAlias = tuple[PathField, ...]  # () is the root


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextVariable:
    """The variable of an entity call that carries a contextual value."""

    number: int
    variable: str
    type: str  # as the subgraph declares the arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentationSpec:
    """How to make a representation out of an object whose runtime type is in ``types``."""

    types: frozenset[str] | None  # None: any
    typename: str | None  # what to send as __typename; None: the object's own
    fields: tuple[RepresentationField, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityCall:
    """One ``_entities(representations: $variable)`` field of a fetch.

    The objects at all ``paths`` are collected, turned into representations by the first spec whose
    types match (objects that match none are left out), de-duplicated and sent as one list. With
    ``contexts`` there is a list, and a call, for each combination of their values that occurs.

    With ``enters_root`` the objects are the query root, which a field of another subgraph returned:
    the call is the whole fetch, ``selections`` are its root fields, and nothing is sent. It is
    still made only if there are objects, and its answer is that of each of them.
    """

    response_key: str  # "_entities", or an alias when a fetch has several calls
    variable: str  # the variable that carries the representations
    paths: tuple[Path, ...]
    representations: tuple[RepresentationSpec, ...]
    selections: SelectionSet
    conditions: tuple[Condition, ...] = ()  # all must hold, else nothing is collected
    any_of: tuple[tuple[Condition, ...], ...] = ()  # and all of one of these, if there are any
    enters_root: bool = False
    contexts: tuple[ContextVariable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchNode:
    """One request to one subgraph: root fields, or one or more entity calls."""

    id: int
    subgraph: str  # the subgraph's name as in supergraph.yaml
    kind: OperationKind
    operation: str  # the text sent, stable per plan so that subgraphs can cache it
    operation_name: str | None
    variables: tuple[str, ...]  # the client's variables that are passed on
    declarations: tuple[str, ...] = ()  # of these variables, as the operation has them
    depends_on: tuple[int, ...] = ()
    selections: SelectionSet = ()  # of a root fetch
    entity_calls: tuple[EntityCall, ...] = ()
    conditions: tuple[Condition, ...] = ()  # all must hold, else the fetch is not made
    any_of: tuple[tuple[Condition, ...], ...] = ()  # and all of one of these, if there are any
    blocks: tuple[Block, ...] = ()  # the deferred parts it is for; none: the first answer


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPlan:
    """Fetches in an order in which every fetch comes after those it depends on.

    For a subscription the first fetch is the subscription itself; the others run for every event. A
    plan without fetches answers introspection and ``__typename`` only.
    """

    kind: OperationKind
    fetches: tuple[FetchNode, ...] = field(default=())
    labels: frozenset[str] = frozenset()  # of progressive overrides: those it depends on, on or off
    deferrals: tuple[Deferral, ...] = ()  # none where it gives the whole answer at once
