"""Synthetic supergraphs of any size that compose by construction, in the proportions of real ones.

Per seed always the same. Seven types in ten are entities, spread over one to four subgraphs each
and referring to each other; two are value types that every subgraph using them defines; one in ten
entities implements an interface, which some subgraphs return. Some entities have a second key, some
fields a ``@requires`` or a ``@provides``.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field

from router.composition import SubgraphInput

__all__ = ["synthetic_subgraphs"]

_HEAD = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: '
    '["@key", "@shareable", "@external", "@requires", "@provides"])\n'
)
_SHARES = (0.7, 0.9)  # up to there entities, up to there value types, the rest interfaces
_MOST_HOMES = 4
_MEMBERS = 4  # per interface
_ROOT_FIELDS = 20  # at most, per subgraph


@dataclass
class _Subgraph:
    """What one subgraph's SDL will say; ``stubs`` are entities it names and does not resolve."""

    roots: list[str] = field(default_factory=list)
    entities: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    values: set[int] = field(default_factory=set)
    interfaces: set[int] = field(default_factory=set)
    stubs: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))


def synthetic_subgraphs(subgraphs: int, types: int, seed: int = 1) -> list[SubgraphInput]:
    """Subgraphs ``s0``, ``s1``, ... with about as many types in all."""
    parts = _Generator(subgraphs, types, random.Random(seed)).make()
    return [SubgraphInput(f"s{n}", f"http://s{n}", sdl) for n, sdl in enumerate(parts)]


class _Generator:
    def __init__(self, subgraphs: int, types: int, rng: random.Random) -> None:
        self._rng = rng
        entities, values = (int(types * share) for share in _SHARES)
        self._values = range(entities, values)
        most = min(subgraphs, _MOST_HOMES)
        self._homes = [rng.sample(range(subgraphs), rng.randint(1, most)) for _ in range(entities)]
        self._interface_of = {
            member: interface
            for interface in range(values, types)
            for member in rng.sample(range(entities), min(_MEMBERS, entities))
        }
        self._subgraphs = [_Subgraph() for _ in range(subgraphs)]

    def make(self) -> list[str]:
        for entity, homes in enumerate(self._homes):
            for number, home in enumerate(homes):
                self._entity(entity, home, is_owner=number == 0)
        return [self._print(number, part) for number, part in enumerate(self._subgraphs)]

    def _entity(self, entity: int, home: int, *, is_owner: bool) -> None:
        part = self._subgraphs[home]
        fields = part.entities[entity]
        owner = self._homes[entity][0]
        if is_owner:
            fields.append("code: String!" if entity % 5 == 0 else "size: Int")
            if len(part.roots) < _ROOT_FIELDS:
                part.roots.append(f"t{entity}(id: ID): T{entity}")
        else:
            if entity % 5 == 0:
                fields.append("code: String! @external")
            fields.append(f"f{owner}_0: String @external")
            fields.append(f'computed{home}: String @requires(fields: "f{owner}_0")')
        fields.extend(f"f{home}_{n}: String" for n in (0, 2, 3))
        fields.append(f"f{home}_1: String @shareable")  # as others provide it
        for n in range(2):
            fields.append(self._reference(f"r{home}_{n}", part, home))
        value = self._rng.choice(self._values)
        part.values.add(value)
        fields.append(f"v{home}: V{value}")
        interface = self._interface_of.get(entity)
        if interface is not None:
            part.interfaces.add(interface)
            fields.append("label: String @shareable")
            fields.append(f"any{home}: [I{interface}!]")

    def _reference(self, name: str, part: _Subgraph, home: int) -> str:
        other = self._rng.randrange(len(self._homes))
        if home in self._homes[other]:
            return f"{name}: T{other}"
        provided = f"f{self._homes[other][0]}_1"
        part.stubs[other]
        if self._rng.random() < 0.8:
            return f"{name}: [T{other}!]"
        part.stubs[other].add(provided)
        return f'{name}: T{other} @provides(fields: "{provided}")'

    # -- printing --------------------------------------------------------------------------------

    def _print(self, number: int, part: _Subgraph) -> str:
        roots = part.roots or [f"ping{number}: Int"]
        blocks = [_HEAD, f"type Query {{ {' '.join(roots)} }}"]
        blocks += [self._print_entity(e, fields) for e, fields in part.entities.items()]
        blocks += [
            self._print_stub(e, provided)
            for e, provided in part.stubs.items()
            if e not in part.entities
        ]
        blocks += [
            f"type V{v} @shareable {{ amount{v}: Int unit{v}: String }}"
            for v in sorted(part.values)
        ]
        blocks += [f"interface I{i} {{ id: ID! label: String }}" for i in sorted(part.interfaces)]
        return "\n".join(blocks)

    def _print_entity(self, entity: int, fields: list[str]) -> str:
        interface = self._interface_of.get(entity)
        implements = f" implements I{interface}" if interface is not None else ""
        keys = '@key(fields: "id")' + (' @key(fields: "code")' if entity % 5 == 0 else "")
        return f"type T{entity}{implements} {keys} {{ id: ID! {' '.join(fields)} }}"

    def _print_stub(self, entity: int, provided: set[str]) -> str:
        external = " ".join(f"{name}: String @external" for name in sorted(provided))
        return f'type T{entity} @key(fields: "id", resolvable: false) {{ id: ID! {external} }}'
