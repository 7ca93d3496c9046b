"""The precise projection: CompleteValue of the specification over untrusted answers.

Runs whenever the generated projection gave up or an error is there to be placed. It decides every
null: where it came from, how far it propagates, and whether an error has to tell it. An object
that a failed fetch left empty is told once, by the fetch's own error; a null that nothing
explains is told here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import (
    GraphQLEnumType,
    GraphQLNonNull,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
)

from router.executor.client_selection import (
    TYPENAME,
    ClientField,
    ClientSelection,
    DeferredFragment,
)
from router.executor.errors import ExecutionErrorCode
from router.executor.leaves import INVALID, leaf_value
from router.executor.losses import lost_type, unasked, untold_type
from router.executor.object_reader import MISSING, NO_CONTEXTS, item_type, join_lists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from graphql import SelectionSetNode

    from router.executor.context import Json, JsonObject
    from router.executor.object_reader import ObjectReader, OpenObject, ResponsePath
    from router.executor.positions import Layout, Position
    from router.executor.response_errors import ErrorLog
    from router.executor.sources import Access
    from router.executor.type_model import TypeModel
    from router.planner.plan import Block

__all__ = ["DeferredObject", "ProjectionInterpreter", "SlotCache"]


class _Nulled:
    """The type of NULLED."""


NULLED: Final = _Nulled()
"""A null that has been explained: it propagates without a further error."""

_NOBODY: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A field of a layout, and all there is to know about it beforehand.

    ``quick`` is the Python class of the usual value: one of that class is right as it is.
    """

    field: ClientField
    access: Access | None
    position: Position | None  # of the objects below, if it has any
    fetches: frozenset[int]  # that were asked for it
    quick: type | None
    nullable: bool

    @property
    def type(self) -> GraphQLOutputType:
        """The type clients see."""
        assert self.field.type is not None  # meta fields have no slot
        return self.field.type


@dataclass(frozen=True, slots=True)
class DeferredObject:
    """A fragment of one object that is answered later; ``block`` has all deferrals around it."""

    path: ResponsePath
    fragment: DeferredFragment
    block: Block


class SlotCache:
    """The slots of one program variant; kept between executions."""

    def __init__(self) -> None:
        self._slots: dict[tuple[Layout, ClientField], Slot] = {}

    def slot(self, layout: Layout, field: ClientField) -> Slot:
        """Return the slot of a field."""
        found = self._slots.get((layout, field))
        if found is None:
            found = self._slots[layout, field] = _make_slot(layout, field)
        return found


_QUICK: Final[Mapping[str, type]] = {"String": str, "ID": str, "Boolean": bool}


def _make_slot(layout: Layout, field: ClientField) -> Slot:
    nullable = not isinstance(field.type, GraphQLNonNull)
    access = layout.access.get(field.key)
    if access is None:
        return Slot(field, None, None, _NOBODY, None, nullable)
    named = get_named_type(access.type)
    position = None if is_leaf_type(named) else layout.child(field.key)
    fetches = frozenset(read.source.fetch for read in access.reads)
    is_list = field.type is None or item_type(field.type) is not None
    return Slot(
        field, access, position, fetches, None if is_list else _QUICK.get(named.name), nullable
    )


class ProjectionInterpreter:
    """Projects one response.

    ``lineage`` has for each fetch its own number and those of all fetches it waited for: a null
    that any of them may have caused is explained by that fetch's error. ``meta`` has the values
    of ``__schema`` and ``__type`` fields.
    """

    def __init__(
        self,
        client: ClientSelection,
        types: TypeModel,
        reader: ObjectReader,
        log: ErrorLog,
        slots: SlotCache,
        *,
        lineage: Sequence[frozenset[int]],
        subgraphs: Sequence[str],
        meta: Mapping[str, Json],
    ) -> None:
        self._client = client
        self._types = types
        self._reader = reader
        self._log = log
        self._slots = slots
        self._lineage = lineage
        self._subgraphs = subgraphs
        self._meta = meta
        self._block: Block = frozenset()
        self._deferred: list[DeferredObject] = []
        self._contexts = NO_CONTEXTS  # of the objects below the one that is being projected

    def project(self, root: Position) -> JsonObject | None:
        """Return ``data`` of the response: None when a null propagated all the way up."""
        found = self._reader.open_root()
        data = self._object(found, root, self._client.root, ())
        return None if data is NULLED or data is None else data

    def take_deferred(self) -> list[DeferredObject]:
        """Return what has been left out since the last time, object by object, also of objects over
        which a null propagated.
        """
        taken, self._deferred = self._deferred, []
        return taken

    def project_deferred(
        self, found: OpenObject, position: Position, deferred: DeferredObject
    ) -> JsonObject | None:
        """Return what was left out of one object: None when a null propagated up to it."""
        self._block = deferred.block
        data = self._object(found, position, (deferred.fragment.selections,), deferred.path)
        return None if data is NULLED or data is None else data

    def _object(
        self,
        found: OpenObject,
        position: Position,
        selection_sets: tuple[SelectionSetNode, ...],
        path: ResponsePath,
    ) -> Json:
        runtime, layout = found.typename, found.layout
        if layout is None or (
            runtime is not None and runtime not in self._client.possible_types(position.declared)
        ):
            return self._unusable_type(found, position, path)
        if runtime is None and not self._explain_type(found, position, path):
            return NULLED
        outer, self._contexts = self._contexts, self._reader.contexts_below(found)
        completed = self._fields(found, layout, position, selection_sets, path)
        self._contexts = outer
        return completed

    def _fields(
        self,
        found: OpenObject,
        layout: Layout,
        position: Position,
        selection_sets: tuple[SelectionSetNode, ...],
        path: ResponsePath,
    ) -> Json:
        runtime = found.typename
        completed: JsonObject = {}
        for field in self._client.fields(runtime, position.declared, selection_sets):
            if field.type is None:
                value, nullable = self._meta_field(found, field, path), False
            elif field.withheld:  # its error is that of the whole operation
                value, nullable = NULLED, not isinstance(field.type, GraphQLNonNull)
            else:
                slot = self._slots.slot(layout, field)
                value, nullable = self._field(found, slot, path), slot.nullable
            if value is NULLED:
                if not nullable:
                    return NULLED
                value = None
            completed[field.key] = value
        if self._client.defers:
            self._defer(runtime, position.declared, selection_sets, path)
        return completed

    def _defer(
        self,
        runtime: str | None,
        declared: str,
        selection_sets: tuple[SelectionSetNode, ...],
        path: ResponsePath,
    ) -> None:
        for fragment in self._client.deferred(runtime, declared, selection_sets):
            block = self._block | {fragment.deferral.id}
            self._deferred.append(DeferredObject(path, fragment, block))

    def _unusable_type(self, found: OpenObject, position: Position, path: ResponsePath) -> Json:
        """Null an object that clients may not see; say so when no subgraph may give it."""
        if found.typename in position.possible:
            return None
        fetches = frozenset(source.fetch for source in found.values)
        self._malformed(
            f"The subgraph gave an object of an unexpected type for {position.declared}.",
            path,
            fetches,
        )
        return NULLED

    def _explain_type(self, found: OpenObject, position: Position, path: ResponsePath) -> bool:
        """Say why an object's type is not known, if somebody is to blame; return whether what is
        the same for all types can be shown.
        """
        if untold := untold_type(position, found):
            message = f"The subgraph did not tell the type of an object for {position.declared}."
            self._malformed(message, path, untold)
        elif lost := lost_type(self._reader, position, found):
            message = f"The subgraph gave no key to learn the type of {position.declared} by."
            self._malformed(message, path, lost)
        return untold.isdisjoint(source.fetch for source in position.inline)

    def _meta_field(self, found: OpenObject, field: ClientField, path: ResponsePath) -> Json:
        if field.name == TYPENAME:
            return found.typename or self._nothing(field, (*path, field.key), _NOBODY)
        return self._meta.get(field.key)

    def _field(self, found: OpenObject, slot: Slot, path: ResponsePath) -> Json:
        raws: tuple[Json, ...] = ()
        if slot.access is not None:
            raws = self._reader.read(found, slot.access)
            if raws[0].__class__ is slot.quick:
                return raws[0]
        below = (*path, slot.field.key)
        value = self._complete(slot.type, raws, slot, below)
        if value is None or (slot.position is not None and None in raws):
            return self._unless_lost(value, found, slot, below)
        return value

    def _unless_lost(self, value: Json, found: OpenObject, slot: Slot, path: ResponsePath) -> Json:
        """Explain a null, or nulls further down, of sources that were never asked for the object,
        because its key was lost.
        """
        if slot.access is None or found.layout is None or value is NULLED:
            return value
        if value is None and any(read.source in found.values for read in slot.access.reads):
            return None
        fetches = unasked(self._reader, found.layout, found, slot.access)
        if not fetches:
            return value
        name = f"{slot.field.parent}.{slot.field.name}"
        self._malformed(f"The subgraph gave no key to find {name} by.", path, fetches)
        return NULLED if value is None else value

    def _complete(
        self,
        graphql_type: GraphQLOutputType,
        raws: tuple[Json, ...],
        slot: Slot,
        path: ResponsePath,
    ) -> Json:
        """Return the value, None for a null to be explained by whoever minds, or NULLED."""
        if isinstance(graphql_type, GraphQLNonNull):
            value = self._complete(graphql_type.of_type, raws, slot, path)
            return value if value is not None else self._nothing(slot.field, path, slot.fetches)
        for raw in raws:
            if raw is not None and raw is not MISSING:
                break
        else:
            return self._absent(raws, slot, path)
        if slot.position is not None and MISSING in raws:
            self._partial(slot, path)
        items_are = item_type(graphql_type)
        if items_are is not None:
            return self._list(items_are, raws, slot, path)
        if slot.position is not None:
            return self._joined(slot.position, raws, slot, path)
        return self._leaf(graphql_type, raws, slot, path)

    def _absent(self, raws: tuple[Json, ...], slot: Slot, path: ResponsePath) -> Json:
        """Explain a value that is missing; a null in the answer is left to the type."""
        if MISSING not in raws:
            return None
        message = f"The subgraph did not answer for field {slot.field.parent}.{slot.field.name}."
        self._malformed(message, path, slot.fetches)
        return NULLED

    def _partial(self, slot: Slot, path: ResponsePath) -> None:
        """Explain an object or list that one of several subgraphs did not give its part of."""
        message = f"A subgraph did not answer for field {slot.field.parent}.{slot.field.name}."
        self._malformed(message, path, slot.fetches)

    def _list(
        self,
        items_are: GraphQLOutputType,
        raws: tuple[Json, ...],
        slot: Slot,
        path: ResponsePath,
    ) -> Json:
        joined = join_lists(raws)
        if joined is None:
            return self._mismatch("a list", slot, path)
        if slot.position is not None and any(
            isinstance(raw, list) and len(raw) < len(joined) for raw in raws
        ):
            self._partial(slot, path)
        items: list[Json] = []
        for index, item in enumerate(joined):
            value = self._complete(items_are, item, slot, (*path, index))
            if value is NULLED:
                if isinstance(items_are, GraphQLNonNull):
                    return NULLED
                value = None
            items.append(value)
        return items

    def _joined(
        self, position: Position, raws: tuple[Json, ...], slot: Slot, path: ResponsePath
    ) -> Json:
        found = self._reader.open(position, raws, self._contexts)
        if found is None:
            return self._mismatch("an object", slot, path)
        return self._object(found, position, slot.field.selection_sets, path)

    def _leaf(
        self,
        graphql_type: GraphQLOutputType,
        raws: tuple[Json, ...],
        slot: Slot,
        path: ResponsePath,
    ) -> Json:
        raw = next(raw for raw in raws if raw is not None and raw is not MISSING)
        if not is_leaf_type(graphql_type):  # no source has an object where clients see one
            return self._mismatch("an object", slot, path)
        value = leaf_value(graphql_type, raw)
        if value is not INVALID:
            return value
        if isinstance(graphql_type, GraphQLEnumType):
            return self._enum(graphql_type, raw, slot, path)
        return self._mismatch(f"a value of type {graphql_type.name}", slot, path)

    def _enum(self, enum: GraphQLEnumType, raw: Json, slot: Slot, path: ResponsePath) -> Json:
        """Null a value clients may not see; say so when the supergraph has none such."""
        whole = self._types.named(enum.name)
        if isinstance(raw, str) and isinstance(whole, GraphQLEnumType) and raw in whole.values:
            return None
        return self._mismatch(f"a value of enum {enum.name}", slot, path)

    # errors

    def _nothing(self, field: ClientField, path: ResponsePath, fetches: frozenset[int]) -> _Nulled:
        if not self._explained(path, fetches):
            message = f"Cannot return null for non-nullable field {field.parent}.{field.name}."
            self._log.add(message, path, {"code": ExecutionErrorCode.NON_NULL_VIOLATION})
        return NULLED

    def _mismatch(self, expected: str, slot: Slot, path: ResponsePath) -> _Nulled:
        coordinates = f"{slot.field.parent}.{slot.field.name}"
        self._malformed(
            f"The subgraph's value for field {coordinates} is not {expected}.", path, slot.fetches
        )
        return NULLED

    def _malformed(self, message: str, path: ResponsePath, fetches: frozenset[int]) -> None:
        if self._explained(path, fetches):
            return
        names = sorted({self._subgraphs[fetch] for fetch in fetches})
        extensions: dict[str, Json] = {"code": ExecutionErrorCode.SUBREQUEST_MALFORMED_RESPONSE}
        if len(names) == 1:
            extensions["service"] = names[0]
        self._log.add(message, path, extensions)

    def _explained(self, path: ResponsePath, fetches: frozenset[int]) -> bool:
        causes = frozenset().union(*(self._lineage[fetch] for fetch in fetches))
        return self._log.explains(path, causes)
