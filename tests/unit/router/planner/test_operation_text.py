"""The text of operations: arguments that clients wrote beside those that contexts fill."""

from __future__ import annotations

import pytest

from router.planner.operation_text import arguments_text, operation_text
from router.planner.plan import (
    ContextualArgument,
    ContextVariable,
    EntityCall,
    FieldSelection,
    OperationKind,
    PathField,
)


def _field(arguments: str = "", *contextual: ContextualArgument) -> FieldSelection:
    return FieldSelection(
        name="price",
        response_key="cost",
        output_key="cost",
        arguments=arguments,
        contextual=contextual,
    )


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (_field(), ""),
        (_field("(nights: 2)"), "(nights: 2)"),
        (_field("", ContextualArgument("in", 7)), "(in: $seven)"),
        (_field("(nights: 2)", ContextualArgument("in", 7)), "(nights: 2, in: $seven)"),
        (
            _field("", ContextualArgument("in", 7), ContextualArgument("by", 1)),
            "(in: $seven, by: $one)",
        ),
    ],
)
def test_contextual_arguments_come_after_the_clients(field: FieldSelection, text: str) -> None:
    assert arguments_text(field, {1: "one", 7: "seven"}) == text


def test_a_call_declares_the_variables_of_its_contexts() -> None:
    call = EntityCall(
        response_key="_e0",
        variable="representations0",
        paths=((PathField(key="stop"),),),
        representations=(),
        selections=(_field("(nights: $n)", ContextualArgument("in", 7)),),
        contexts=(ContextVariable(number=7, variable="filled", type="[Unit!]"),),
    )

    text = operation_text(OperationKind.QUERY, "Trip__a__1", ["$n:Int=1"], (), [call])

    assert text == (
        "query Trip__a__1($representations0:[_Any!]!,$filled:[Unit!],$n:Int=1)"
        "{_e0:_entities(representations:$representations0){cost:price(nights: $n, in: $filled)}}"
    )
