"""Random subgraphs: entities, value types, a union and an interface, spread over up to four.


Made field by field with one random generator, so that a number names a supergraph. Many do not
compose, for as many reasons as people's do not: what is left is answered for (`World`), and all are
composed by Apollo's composition too.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["random_subgraphs"]

_LINK = (
    'extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", '
    '"@external", "@requires", "@provides", "@shareable", "@override", "@interfaceObject"])'
)
_SCALARS = ("String", "Int", "String!", "Float", "Boolean")
_LEAVES = frozenset({"String", "Int", "Float", "Boolean"})
_INTERFACE, _UNION, _VALUE = "I", "U", "V"


def random_subgraphs(seed: int) -> dict[str, str]:
    """The subgraphs of a seed: name -> SDL."""
    return _Generator(random.Random(seed)).generate()


@dataclass
class _Field:
    type: str
    directives: set[str] = field(default_factory=set)

    @property
    def named(self) -> str:
        return self.type.strip("[]!")

    @property
    def is_external(self) -> bool:
        return "@external" in self.directives


@dataclass
class _Subgraph:
    types: dict[str, dict[str, _Field]] = field(default_factory=dict)
    keys: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)  # fields, resolvable

    def put(self, type_name: str, name: str, type_: str, *directives: str) -> None:
        fields = self.types.setdefault(type_name, {})
        fields.setdefault(name, _Field(type_)).directives.update(directives)

    def uses(self, type_name: str) -> bool:
        """Whether a field returns this type."""
        fields = (item for fields in self.types.values() for item in fields.values())
        return any(item.named == type_name for item in fields)


@dataclass
class _Owned:
    """A field of an entity, and who resolves it."""

    type: str
    owners: list[str]

    @property
    def named(self) -> str:
        return self.type.strip("[]!")


class _Generator:
    def __init__(self, rnd: random.Random) -> None:
        self._random = rnd
        self._subgraphs = {name: _Subgraph() for name in "abcd"[: rnd.randint(2, 4)]}
        self._entities = [f"E{n}" for n in range(rnd.randint(1, 4))]
        self._implementations = [e for e in self._entities if self._chance(0.35)]
        self._has_union = len(self._entities) > 1 and self._chance(0.35)
        self._has_value = self._chance(0.5)
        self._homes = {entity: self._some(list(self._subgraphs), 0.75) for entity in self._entities}
        self._object_in = self._choose_interface_object()
        self._owned: dict[tuple[str, str], _Owned] = {}

    def generate(self) -> dict[str, str]:
        for entity in self._entities:
            self._add_keys(entity)
        for entity in self._entities:
            self._add_scalars(entity)
            self._add_references(entity)
        self._add_interface_object()
        for entity in self._entities:
            self._add_computed(entity)
        self._add_provided()
        self._add_roots()
        for name, subgraph in self._subgraphs.items():
            if subgraph.uses(_VALUE):
                self._need_value(name)
        return {name: self._sdl(name) for name in self._subgraphs}

    # -- chance ----------------------------------------------------------------------------------

    def _chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def _some(self, items: list[str], probability: float) -> list[str]:
        return [item for item in items if self._chance(probability)] or [self._random.choice(items)]

    def _wrapped(self, type_name: str) -> str:
        return self._random.choice(["{}", "{}", "[{}]", "[{}!]!", "{}!", "[{}!]"]).format(type_name)

    # -- entities --------------------------------------------------------------------------------

    def _choose_interface_object(self) -> str | None:
        """The subgraph that has the interface as an object, and so none of its implementations."""
        if not self._implementations or len(self._subgraphs) < 3 or not self._chance(0.5):
            return None
        chosen, *others = self._random.sample(list(self._subgraphs), len(self._subgraphs))
        for entity in self._implementations:
            homes = [home for home in self._homes[entity] if home != chosen]
            self._homes[entity] = homes or [self._random.choice(others)]
        return chosen

    def _add_keys(self, entity: str) -> None:
        pool = ["id", "k", "id k", "m", *(["v { x }"] if self._has_value else [])]
        keys = self._random.sample(pool, self._random.randint(1, 3))
        for home in self._homes[entity]:
            chosen = self._some(keys, 0.6)
            if entity in self._implementations and "id" not in chosen:
                chosen.append("id")
            subgraph = self._subgraphs[home]
            subgraph.keys[entity] = [(key, key == "id" or self._chance(0.88)) for key in chosen]
            for key in chosen:
                if "{" in key:
                    self._need_value(home)
                    subgraph.put(entity, "v", f"{_VALUE}!", "@shareable")
                    continue
                for name in key.split():
                    subgraph.put(entity, name, "ID!", "@shareable")

    def _need_value(self, home: str) -> None:
        subgraph = self._subgraphs[home]
        if _VALUE not in subgraph.types:
            subgraph.put(_VALUE, "x", "ID!", "@shareable")
            for name in ("y", "z"):
                if self._chance(0.5):
                    subgraph.put(_VALUE, name, "String", "@shareable")

    def _add_scalars(self, entity: str) -> None:
        homes = self._homes[entity]
        for n in range(self._random.randint(1, 5)):
            owners = [self._random.choice(homes)]
            if len(homes) > 1 and self._chance(0.35):
                owners = self._random.sample(homes, self._random.randint(2, len(homes)))
            self._own(entity, f"s{n}", self._random.choice(_SCALARS), owners)
            others = [home for home in homes if home not in owners]
            if len(owners) == 1 and others and self._chance(0.12):
                self._override(entity, f"s{n}", self._random.choice(others))

    def _own(self, entity: str, name: str, type_: str, owners: list[str]) -> None:
        self._owned[entity, name] = _Owned(type_, owners)
        shared = ("@shareable",) if len(owners) > 1 else ()
        for owner in owners:
            self._subgraphs[owner].put(entity, name, type_, *shared)

    def _override(self, entity: str, name: str, new_owner: str) -> None:
        owned = self._owned[entity, name]
        directive = f'@override(from: "{owned.owners[0]}")'
        self._subgraphs[new_owner].put(entity, name, owned.type, directive)
        owned.owners = [new_owner]

    def _add_references(self, entity: str) -> None:
        for n in range(self._random.randint(0, 3)):
            owner = self._random.choice(self._homes[entity])
            returned = self._random.choice(self._returnable(owner))
            owners = [owner]
            others = [
                home
                for home in self._homes[entity]
                if home != owner and returned in self._returnable(home)
            ]
            if others and self._chance(0.3):
                owners.append(self._random.choice(others))
            self._own(entity, f"r{n}", self._wrapped(returned), owners)

    def _returnable(self, home: str) -> list[str]:
        known = [entity for entity in self._entities if home in self._homes[entity]]
        found = list(known)
        if home == self._object_in or any(entity in known for entity in self._implementations):
            found.append(_INTERFACE)
        if self._has_value:
            found.append(_VALUE)
        if self._has_union and known:
            found.append(_UNION)
        return found

    def _add_interface_object(self) -> None:
        if self._object_in is None:
            return
        subgraph = self._subgraphs[self._object_in]
        subgraph.put(_INTERFACE, "id", "ID!", "@shareable")
        subgraph.keys[_INTERFACE] = [("id", True)]
        known = [entity for entity in self._entities if entity in subgraph.types]
        for n in range(self._random.randint(1, 2)):
            subgraph.put(_INTERFACE, f"o{n}", self._random.choice(["String", "Int", *known]))

    # -- what is computed and provided -----------------------------------------------------------

    def _add_computed(self, entity: str) -> None:
        for n in range(self._random.randint(0, 2)):
            home = self._random.choice(self._homes[entity])
            parts = [part for part in self._requirable(entity, home) if self._chance(0.5)]
            if not parts:
                continue
            subgraph = self._subgraphs[home]
            for _, externals in parts:
                for type_name, name in externals:
                    if name not in subgraph.types[type_name]:
                        type_ = self._owned[type_name, name].type
                        subgraph.put(type_name, name, type_, "@external")
            fields = " ".join(text for text, _ in parts)
            subgraph.put(entity, f"c{n}", "String", f'@requires(fields: "{fields}")')
            self._owned[entity, f"c{n}"] = _Owned("String", [home])

    def _requirable(self, entity: str, home: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """What a field could be computed from here: text, and the external fields in it."""
        for (holder, name), owned in list(self._owned.items()):
            if holder != entity or home in owned.owners:
                continue
            if owned.named in _LEAVES:
                yield name, [(entity, name)]
            elif inner := self._foreign_leaves(owned.named, home):
                below = self._random.choice(inner)
                yield f"{name} {{ {below} }}", [(entity, name), (owned.named, below)]

    def _foreign_leaves(self, entity: str, home: str) -> list[str]:
        """The fields without fields of an entity that others resolve than this subgraph."""
        if entity not in self._subgraphs[home].types:
            return []
        return [
            name
            for (holder, name), owned in self._owned.items()
            if holder == entity and home not in owned.owners and owned.named in _LEAVES
        ]

    def _add_provided(self) -> None:
        for (entity, name), owned in list(self._owned.items()):
            for owner in owned.owners:
                subgraph = self._subgraphs[owner]
                leaves = self._foreign_leaves(owned.named, owner)
                if not leaves or not self._chance(0.4) or subgraph.types[entity][name].is_external:
                    continue
                below = self._random.choice(leaves)
                fields = subgraph.types[owned.named]
                if below not in fields:
                    type_ = self._owned[owned.named, below].type
                    subgraph.put(owned.named, below, type_, "@external")
                if fields[below].is_external:
                    provides = f'@provides(fields: "{below}")'
                    subgraph.types[entity][name].directives.add(provides)

    def _add_roots(self) -> None:
        for name, subgraph in self._subgraphs.items():
            returnable = self._returnable(name)
            for n in range(self._random.randint(1, 2)):
                returned = self._random.choice(returnable) if returnable else "String"
                subgraph.put("Query", f"{name}{n}", self._wrapped(returned))
        first = self._entities[0]
        if len(self._homes[first]) > 1 and self._chance(0.4):
            returned = self._wrapped(first)
            for home in self._homes[first]:
                self._subgraphs[home].put("Query", "shared", returned, "@shareable")

    # -- text ------------------------------------------------------------------------------------

    def _sdl(self, name: str) -> str:
        subgraph = self._subgraphs[name]
        known = [entity for entity in self._entities if entity in subgraph.types]
        implementations = [entity for entity in self._implementations if entity in known]
        if name == self._object_in or not (
            subgraph.uses(_INTERFACE) or self._object_in or self._chance(0.5)
        ):
            implementations = []
        parts = [_LINK]
        for type_name, fields in subgraph.types.items():
            head = f"type {type_name}"
            if type_name in implementations:
                head += f" implements {_INTERFACE}"
            if type_name == _INTERFACE:
                head += " @interfaceObject"
            for key, resolvable in subgraph.keys.get(type_name, ()):
                head += f' @key(fields: "{key}"{"" if resolvable else ", resolvable: false"})'
            parts.append(f"{head} {{\n{_fields_text(fields)}\n}}")
        if implementations:
            parts.append(self._interface(subgraph, implementations))
        if subgraph.uses(_UNION):
            parts.append(f"union {_UNION} = {' | '.join(known)}")
        return "\n".join(parts)

    def _interface(self, subgraph: _Subgraph, implementations: list[str]) -> str:
        first, *others = (subgraph.types[name] for name in implementations)
        common = {
            name: item
            for name, item in first.items()
            if name.startswith("s")
            and not item.is_external
            and all(name in other and other[name].type == item.type for other in others)
            and self._chance(0.6)
        }
        key = ' @key(fields: "id")' if self._object_in else ""
        fields = " ".join(f"{name}: {item.type}" for name, item in common.items())
        return f"interface {_INTERFACE}{key} {{ id: ID! {fields} }}"


def _fields_text(fields: dict[str, _Field]) -> str:
    return "\n".join(
        f"  {name}: {item.type} {' '.join(sorted(item.directives))}".rstrip()
        for name, item in fields.items()
    )
