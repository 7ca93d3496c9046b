"""What the source model is made of: sources, reads of them, and the joins that find entities.

See ``positions`` for the model as a whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, TypeAlias

from router.executor.client_selection import TYPENAME
from router.planner.plan import FieldSelection, FragmentSelection

if TYPE_CHECKING:
    from graphql import GraphQLOutputType

    from router.planner.plan import (
        ContextSource,
        EntityCall,
        Path,
        RepresentationField,
        RepresentationSpec,
        SelectionSet,
    )

__all__ = [
    "Access",
    "CallRef",
    "ContextKey",
    "ContextRead",
    "Join",
    "JoinField",
    "KeyPartKind",
    "PendingCall",
    "Read",
    "Source",
]


@dataclass(frozen=True, slots=True, eq=False)
class CallRef:
    """An entity call of a program. ``index`` is the number of its entity table."""

    index: int
    fetch: int
    call: EntityCall
    ancestors: frozenset[int]  # the fetches that have answered before this one is sent
    tag_spec: bool  # the representation key starts with the number of the spec
    tag_type: bool  # ... with the object's own type

    @property
    def context_keys(self) -> tuple[ContextKey, ...]:
        """The contextual values of the call; the representation key starts with them, if any."""
        return tuple((self.index, context.number) for context in self.call.contexts)


@dataclass(frozen=True, slots=True, eq=False)
class PendingCall:
    """An entity call whose objects are at or below a position, ``step`` steps down its path."""

    ref: CallRef
    path: Path
    step: int

    def passes(self, runtime: str | None) -> bool:
        """Tell whether the path goes through an object of this type."""
        if self.step == 0:
            return True
        types = self.path[self.step - 1].types
        return types is None or runtime in types

    @property
    def ends(self) -> bool:
        """Whether the objects of this position are the ones to collect."""
        return self.step == len(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """An answer that holds a dict for (some) objects of a position.

    ``call`` is None for an inline source.
    """

    fetch: int
    selections: SelectionSet
    call: CallRef | None = None

    def always_has(self, key: str) -> bool:
        """Tell whether ``key`` is asked of every object, not of those of some type only."""
        return _has(self.selections, key) or any(
            _has(fragment.selections, key)
            for fragment in self.selections
            if isinstance(fragment, FragmentSelection)
            and self._sent_as == {fragment.type_condition}
        )

    @property
    def _sent_as(self) -> set[str | None]:
        """The names under which the objects of an entity call are sent."""
        return {spec.typename for spec in self.call.call.representations} if self.call else set()


def _has(selections: SelectionSet, key: str) -> bool:
    return any(
        isinstance(selection, FieldSelection) and selection.response_key == key
        for selection in selections
    )


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """A value is found in ``source`` under ``key``."""

    source: Source
    key: str
    selections: SelectionSet


@dataclass(frozen=True, slots=True, eq=False)
class Access:
    """How to read one output key of an object: from each source that selected it, in plan order."""

    name: str
    type: GraphQLOutputType  # as in the whole schema
    reads: tuple[Read, ...]


ContextKey: TypeAlias = tuple[int, int]


class KeyPartKind(Enum):
    """How a field enters the key that stands for a representation in an entity table."""

    PLAIN = auto()  # as it is: a value of a built-in scalar or an enum
    ENCODED = auto()  # as JSON: a list, or a value of a custom scalar, which may be anything
    NESTED = auto()  # as JSON, and made of an object or a list of objects


@dataclass(frozen=True, slots=True, eq=False)
class JoinField:
    """A field of a representation.

    ``access`` is None where nobody selected its source, and for ``__typename``.
    """

    field: RepresentationField
    access: Access | None
    kind: KeyPartKind

    @property
    def is_typename(self) -> bool:
        """Whether the value is the object's runtime type."""
        return self.field.source_key == TYPENAME


@dataclass(frozen=True, slots=True, eq=False)
class ContextRead:
    """A contextual value that an object gives to an entity call for objects below it.

    ``access`` is None where nobody selected it: then it is null.
    """

    ref: CallRef
    source: ContextSource
    access: Access | None

    @property
    def key(self) -> ContextKey:
        """Who reads what: the call, and the number of the value."""
        return self.ref.index, self.source.number


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """How an object finds its row in an entity table: by the key made of its representation."""

    source: Source  # the row
    ref: CallRef
    spec_index: int
    spec: RepresentationSpec
    fields: tuple[JoinField, ...]

    @property
    def is_possible(self) -> bool:
        """Whether every key field has been selected, so that a representation can exist."""
        return all(
            part.access is not None or part.is_typename or not part.field.is_key
            for part in self.fields
        )
