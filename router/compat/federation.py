"""Changes of who answers: subgraphs, keys, resolvers, requirements, runtime types.

Clients do not see them, and the new supergraph has been composed, so every query still has a plan.
But supergraph and subgraphs are never switched in one moment: a router that still runs the old
supergraph asks the subgraphs as it says. What is taken away from under it is dangerous, what is
added is safe.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql import print_ast

from router.compat.model import Change, ChangeCode, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import SelectionSetNode

    from router.compat.version import Version
    from router.supergraph import Supergraph, SupergraphField, SupergraphType

__all__ = ["federation_changes"]


def federation_changes(before: Version, after: Version) -> Iterator[Change]:
    """Changes of the subgraphs' parts in what both versions have."""
    old, new = before.supergraph, after.supergraph
    yield from _subgraphs(old, new)
    shared = [name for name in old.subgraphs if name in new.subgraphs]
    for name, type_ in old.types.items():
        changed = new.types.get(name)
        if changed is None:
            continue
        for subgraph in shared:
            yield from _keys(type_, changed, subgraph)
            yield from _interface_objects(type_, changed, subgraph)
            yield from _runtime_types(type_, changed, subgraph)
        for field_name, field in type_.fields.items():
            other = changed.fields.get(field_name)
            if other is not None:
                coordinate = f"{name}.{field_name}"
                for subgraph in shared:
                    yield from _resolver(coordinate, field, other, subgraph)


def _subgraphs(old: Supergraph, new: Supergraph) -> Iterator[Change]:
    for name, subgraph in old.subgraphs.items():
        if name not in new.subgraphs:
            yield _taken(ChangeCode.SUBGRAPH_REMOVED, f'Subgraph "{name}" was removed.')
        elif subgraph.url != new.subgraphs[name].url:
            message = (
                f'Subgraph "{name}" moved from {subgraph.url or "nowhere"} to '
                f"{new.subgraphs[name].url or 'nowhere'}."
            )
            yield _taken(ChangeCode.SUBGRAPH_URL_CHANGED, message)
    for name in new.subgraphs:
        if name not in old.subgraphs:
            yield _given(ChangeCode.SUBGRAPH_ADDED, f'Subgraph "{name}" was added.')


def _keys(old: SupergraphType, new: SupergraphType, subgraph: str) -> Iterator[Change]:
    """Keys by which the subgraph can be entered; others matter to nobody."""
    before, after = _resolvable_keys(old, subgraph), _resolvable_keys(new, subgraph)
    for key in before:
        if key not in after:
            message = f'Subgraph "{subgraph}" can no longer be entered by {old.name} {key}.'
            yield _taken(ChangeCode.KEY_REMOVED, message)
    for key in after:
        if key not in before:
            message = f'Subgraph "{subgraph}" can now be entered by {new.name} {key}.'
            yield _given(ChangeCode.KEY_ADDED, message)


def _resolvable_keys(type_: SupergraphType, subgraph: str) -> dict[str, None]:
    join = type_.joins.get(subgraph)
    keys = join.keys if join is not None else ()
    return dict.fromkeys(_field_set(key.selection) for key in keys if key.resolvable)


def _interface_objects(old: SupergraphType, new: SupergraphType, subgraph: str) -> Iterator[Change]:
    before, after = old.joins.get(subgraph), new.joins.get(subgraph)
    if before is None or after is None or before.interface_object == after.interface_object:
        return
    # Routers on the old supergraph send it objects under names that it no longer knows.
    change = "now" if after.interface_object else "no longer"
    message = f'Subgraph "{subgraph}" {change} has {new.name} as an interface object.'
    yield _taken(ChangeCode.INTERFACE_OBJECT_CHANGED, message)


def _runtime_types(old: SupergraphType, new: SupergraphType, subgraph: str) -> Iterator[Change]:
    before = old.possible.get(subgraph, frozenset())
    after = new.possible.get(subgraph, frozenset())
    for name in sorted(before - after):
        message = f'Subgraph "{subgraph}" no longer has {name} as a {old.name}.'
        yield _taken(ChangeCode.RUNTIME_TYPE_REMOVED, message)
    for name in sorted(after - before):
        # Routers on the old supergraph then meet a type that they do not expect there.
        message = f'Subgraph "{subgraph}" now has {name} as a {new.name}.'
        yield _taken(ChangeCode.RUNTIME_TYPE_ADDED, message)


def _resolver(
    coordinate: str, old: SupergraphField, new: SupergraphField, subgraph: str
) -> Iterator[Change]:
    before, after = old.joins.get(subgraph), new.joins.get(subgraph)
    was, is_ = (join is not None and join.resolvable for join in (before, after))
    if was and not is_:
        others = [name for name, join in new.joins.items() if join.resolvable]
        message = f'{coordinate} is no longer resolved by "{subgraph}", but by {_names(others)}.'
        yield _taken(ChangeCode.FIELD_RESOLVER_REMOVED, message)
    elif is_ and not was:
        message = f'{coordinate} is now resolved by "{subgraph}".'
        yield _given(ChangeCode.FIELD_RESOLVER_ADDED, message)
    elif before is not None and after is not None:
        yield from _label(coordinate, before.override_label, after.override_label, subgraph)
        yield from _requirement(coordinate, before.requires, after.requires, subgraph)
        yield from _provision(coordinate, before.provides, after.provides, subgraph)


def _label(
    coordinate: str, before: str | None, after: str | None, subgraph: str
) -> Iterator[Change]:
    """Labels decide who resolves a field that is on its way from one subgraph to another."""
    if before != after:
        was, is_ = before or "no label", after or "no label"
        message = f'The override of {coordinate} in "{subgraph}" goes by {is_}, no longer by {was}.'
        yield _taken(ChangeCode.OVERRIDE_LABEL_CHANGED, message)


def _requirement(
    coordinate: str,
    before: SelectionSetNode | None,
    after: SelectionSetNode | None,
    subgraph: str,
) -> Iterator[Change]:
    if _field_set(before) != _field_set(after):
        message = (
            f'In "{subgraph}" {coordinate} requires {_field_set(after)}, no longer '
            f"{_field_set(before)}."
        )
        yield _taken(ChangeCode.REQUIREMENT_CHANGED, message)


def _provision(
    coordinate: str,
    before: SelectionSetNode | None,
    after: SelectionSetNode | None,
    subgraph: str,
) -> Iterator[Change]:
    if _field_set(before) == _field_set(after):
        return
    if before is not None:
        message = f'In "{subgraph}" {coordinate} no longer provides {_field_set(before)}.'
        yield _taken(ChangeCode.PROVISION_REMOVED, message)
    if after is not None:
        message = f'In "{subgraph}" {coordinate} now provides {_field_set(after)}.'
        yield _given(ChangeCode.PROVISION_ADDED, message)


def _field_set(selections: SelectionSetNode | None) -> str:
    """On one line, however it was written: ``{ id organization { id } }``."""
    return "nothing" if selections is None else " ".join(print_ast(selections).split())


def _names(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) or "nobody"


def _taken(code: ChangeCode, message: str) -> Change:
    return Change(Severity.DANGEROUS, code, message)


def _given(code: ChangeCode, message: str) -> Change:
    return Change(Severity.SAFE, code, message)
