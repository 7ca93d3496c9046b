"""Collecting selections into units: fragments, merging, conditions."""

from __future__ import annotations

import pytest
from graphql import FragmentDefinitionNode, OperationDefinitionNode, parse

from router.query_graph import Collector, Condition, Source, Unit

POSSIBLE = {"Node": frozenset({"A", "B", "C"}), "AB": frozenset({"A", "B"})}
ALWAYS: frozenset[Condition] = frozenset()
IF_V = frozenset({Condition("v", True)})
NOT_W = frozenset({Condition("w", False)})


def _collect(text: str, declared: str = "Node", *, alike: bool = True) -> tuple[Unit, ...]:
    document = parse(text)
    operation = next(d for d in document.definitions if isinstance(d, OperationDefinitionNode))
    fragments = {
        d.name.value: d for d in document.definitions if isinstance(d, FragmentDefinitionNode)
    }
    collector = Collector(
        lambda name: POSSIBLE.get(name, frozenset({name})),
        lambda _declared, name, _wanted: None if alike else name,
        fragments,
    )
    return collector.collect(declared, (Source(operation.selection_set),))


def _view(units: tuple[Unit, ...]) -> dict[str, list[str]]:
    return {"".join(sorted(u.types)): [f.output_key for f in u.fields] for u in units}


def test_types_that_want_the_same_share_a_unit() -> None:
    assert _view(_collect("{ id ... on A { x } }")) == {"A": ["id", "x"], "BC": ["id"]}


def test_types_that_moves_can_tell_apart_do_not_share_a_unit() -> None:
    assert _view(_collect("{ id }", alike=False)) == {"A": ["id"], "B": ["id"], "C": ["id"]}


def test_fragments_on_abstract_types_apply_to_their_possible_types() -> None:
    text = "{ ...F } fragment F on AB { y ... on A { x } ... on C { never } }"

    assert _view(_collect(text)) == {"A": ["y", "x"], "B": ["y"]}


def test_a_field_asked_twice_is_one_field_with_both_selections() -> None:
    (unit,) = _collect("{ a { x } ... on Node { a { y } } }")

    (field,) = unit.fields
    assert len(field.sources) == 2


def test_a_condition_moves_down_to_what_only_it_asks_for() -> None:
    (unit,) = _collect("{ a { x } a @include(if: $v) { y } }")

    (field,) = unit.fields
    assert field.conditions == ALWAYS
    assert [source.conditions for source in field.sources] == [ALWAYS, IF_V]


def test_an_unconditional_field_survives_its_conditional_twin_whatever_the_order() -> None:
    (unit,) = _collect("{ x @include(if: $v) x }")

    (field,) = unit.fields
    assert field.conditions == ALWAYS


def test_different_conditions_stay_apart() -> None:
    (unit,) = _collect("{ x @include(if: $v) x @skip(if: $w) }")

    assert [field.conditions for field in unit.fields] == [IF_V, NOT_W]


def test_conditions_of_fragments_reach_their_fields() -> None:
    (unit,) = _collect("{ ... @include(if: $v) { x @skip(if: $w) } }")

    assert unit.fields[0].conditions == IF_V | NOT_W


@pytest.mark.parametrize(
    "text",
    [
        "{ x @skip(if: true) }",
        "{ x @include(if: false) }",
        "{ ... @skip(if: $v) { x @include(if: $v) } }",
        "{ ... on D { x } }",
    ],
)
def test_what_can_never_be_selected_is_gone(text: str) -> None:
    assert _collect(text) == ()


def test_arguments_are_kept_as_text_with_their_variables() -> None:
    (unit,) = _collect('{ k: x(a: $v, b: { c: [$w, "s"] }) }')

    (field,) = unit.fields
    assert field.name == "x"
    assert field.arguments == '(a: $v, b: { c: [$w, "s"] })'
    assert field.variables == {"v", "w"}
