"""Query plans as text in the field's usual form, and as JSON.

Stages print as ``Sequence`` and ``Parallel`` as in Apollo's and Hive's tools, though the executor
starts each fetch as soon as its own inputs are there. A call at several places prints one
``Flatten`` path per place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.planner.operation_text import arguments_text, context_variables
from router.planner.plan import FieldSelection, OperationKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from router.planner.plan import (
        Block,
        Condition,
        Deferral,
        EntityCall,
        FetchNode,
        Path,
        QueryPlan,
        RepresentationField,
        SelectionSet,
    )

__all__ = ["plan_json", "plan_text", "print_path"]

INDENT = "  "


def print_path(path: Path) -> str:
    """``posts.@.author|[User]``: keys, an ``@`` per list level, runtime types where they matter."""
    parts: list[str] = []
    for step in path:
        types = f"|[{','.join(sorted(step.types))}]" if step.types is not None else ""
        lists = ["@"] * step.list_depth
        parts.extend((step.key, *lists))
        parts[-1] += types
    return ".".join(parts)


def plan_text(plan: QueryPlan) -> str:
    """The whole plan, indented by two spaces."""
    lines = ["QueryPlan {"]
    if plan.kind is OperationKind.SUBSCRIPTION and plan.fetches:
        lines += _indent(_subscription(plan))
    elif plan.deferrals:
        lines += _indent(_deferred(plan))
    else:
        lines += _indent(_stages(plan.fetches))
    return "\n".join([*lines, "}"])


def _subscription(plan: QueryPlan) -> Iterator[str]:
    yield "Subscription {"
    yield INDENT + "Primary: {"
    yield from _indent(_indent(_fetch(plan.fetches[0])))
    yield INDENT + "},"
    if len(plan.fetches) > 1:
        yield INDENT + "Rest: {"
        yield from _indent(_indent(_stages(plan.fetches[1:])))
        yield INDENT + "},"
    yield "},"


def _deferred(plan: QueryPlan) -> Iterator[str]:
    """``Defer { Primary { … }, [ Deferred(depends: [0], path: "me", label: "bio") { … } ] }``.

    A fetch that several deferrals want stands with each; ``depends`` are the fetches of the first
    answer, and of deferrals around it, that its own wait for.
    """
    yield "Defer {"
    yield INDENT + "Primary {"
    yield from _indent(_indent(_stages([fetch for fetch in plan.fetches if not fetch.blocks])))
    yield INDENT + "}, ["
    for deferral in plan.deferrals:
        own = [f for f in plan.fetches if any(deferral.id == _innermost(plan, b) for b in f.blocks)]
        ids = {fetch.id for fetch in own}
        depends = sorted({d for fetch in own for d in fetch.depends_on} - ids)
        yield from _indent(_indent(_deferral(deferral, own, depends)))
    yield INDENT + "]"
    yield "},"


def _deferral(
    deferral: Deferral, own: Sequence[FetchNode], depends: Sequence[int]
) -> Iterator[str]:
    head = f'depends: {list(depends)}, path: "{".".join(deferral.path)}"'
    if deferral.label is not None:
        head += f', label: "{deferral.label}"'
    if deferral.variable is not None:
        head += f", if: ${deferral.variable}"
    yield f"Deferred({head}) {{"
    yield from _indent(_stages(own))
    yield "},"


def _innermost(plan: QueryPlan, block: Block) -> str:
    """The deferral that stands last in the operation: what is inside comes after what is around."""
    return [deferral.id for deferral in plan.deferrals if deferral.id in block][-1]


def _stages(fetches: Sequence[FetchNode]) -> Iterator[str]:
    stages: dict[int, int] = {}
    for fetch in fetches:
        stages[fetch.id] = 1 + max((stages.get(d, -1) for d in fetch.depends_on), default=-1)
    levels = [
        [fetch for fetch in fetches if stages[fetch.id] == level]
        for level in range(max(stages.values(), default=-1) + 1)
    ]
    if len(levels) > 1:
        yield "Sequence {"
        for level in levels:
            yield from _indent(_parallel(level))
        yield "},"
    elif levels:
        yield from _parallel(levels[0])


def _parallel(fetches: Sequence[FetchNode]) -> Iterator[str]:
    if len(fetches) == 1:
        yield from _fetch(fetches[0])
        return
    yield "Parallel {"
    for fetch in fetches:
        yield from _indent(_fetch(fetch))
    yield "},"


def _fetch(fetch: FetchNode) -> Iterator[str]:
    yield from _guarded(fetch, _unconditional_fetch(fetch))


def _guarded(node: FetchNode | EntityCall, lines: Iterator[str]) -> Iterator[str]:
    if node.any_of:
        lines = _any_of(node.any_of, lines)
    yield from _conditional(node.conditions, lines)


def _any_of(alternatives: Sequence[Sequence[Condition]], lines: Iterator[str]) -> Iterator[str]:
    """``AnyOf($a !$b | $c)``: wanted when $a holds and $b does not, or when $c holds."""
    texts = (
        " ".join(f"{'' if c.wanted else '!'}${c.variable}" for c in alternative)
        for alternative in alternatives
    )
    yield f"AnyOf({' | '.join(texts)}) {{"
    yield from _indent(lines)
    yield "},"


def _conditional(conditions: Sequence[Condition], lines: Iterator[str]) -> Iterator[str]:
    if not conditions:
        yield from lines
        return
    first, *rest = conditions
    yield f"{'Include' if first.wanted else 'Skip'}(if: ${first.variable}) {{"
    yield from _indent(_conditional(rest, lines))
    yield "},"


def _unconditional_fetch(fetch: FetchNode) -> Iterator[str]:
    if not fetch.entity_calls:
        yield f'Fetch(service: "{fetch.subgraph}") {{'
        yield from _indent(_selection_set(fetch.selections, {}))
        yield "},"
    elif len(fetch.entity_calls) == 1:
        call = fetch.entity_calls[0]
        yield f'Flatten(path: "{_places(call)}") {{'
        yield INDENT + f'Fetch(service: "{fetch.subgraph}") {{'
        yield from _indent(_indent(_call(call)))
        yield INDENT + "},"
        yield "},"
    else:
        yield f'BatchFetch(service: "{fetch.subgraph}") {{'
        for call in fetch.entity_calls:
            yield from _indent(_guarded(call, _batched(call)))
        yield "},"


def _batched(call: EntityCall) -> Iterator[str]:
    yield f'Flatten(path: "{_places(call)}") {{'
    yield from _indent(_call(call))
    yield "},"


def _places(call: EntityCall) -> str:
    return '", "'.join(print_path(path) for path in call.paths)


def _call(call: EntityCall) -> Iterator[str]:
    if call.enters_root:
        yield from _selection_set(call.selections, {})
        return
    yield "{"
    for spec in call.representations:
        name = spec.typename or "|".join(sorted(spec.types or ()))
        yield INDENT + f"... on {name} {{"
        yield INDENT * 2 + "__typename"
        yield from _indent(_indent(_representation(spec.fields)))
        yield INDENT + "}"
    for variable, value in _context_texts(call):
        yield f"{INDENT}${variable}: {value}"
    yield "} =>"
    yield from _selection_set(call.selections, context_variables(call))


def _context_texts(call: EntityCall) -> Iterator[tuple[str, str]]:
    """Each contextual variable and where its value comes from: ``trip|[Trip] { currency }``.

    Of an object's values the nearest counts, which is the last in this order.
    """
    variables = context_variables(call)
    texts: dict[tuple[str, str], None] = {}
    for path in call.paths:
        for depth, step in enumerate(path):
            for value in step.contexts:
                types = f"|[{','.join(sorted(value.types))}]" if value.types is not None else ""
                lines = _representation((value.field,) if value.field else ())
                fields = " ".join(line.strip() for line in lines)
                place = print_path(path[:depth]) + types
                texts[variables[value.number], f"{place} {{ {fields} }}".lstrip()] = None
    yield from sorted(texts, key=lambda text: text[0])


def _representation(fields: Sequence[RepresentationField]) -> Iterator[str]:
    for field in fields:
        name = field.name if field.name == field.source_key else f"{field.name}: {field.source_key}"
        types = (
            "" if field.type_condition is None else f"|[{','.join(sorted(field.type_condition))}]"
        )
        if not field.selections:
            yield name + types
            continue
        yield f"{name}{types} {{"
        yield from _indent(_representation(field.selections))
        yield "}"


def _selection_set(selections: SelectionSet, variables: Mapping[int, str]) -> Iterator[str]:
    yield "{"
    yield from _indent(_selections(selections, variables))
    yield "}"


def _selections(selections: SelectionSet, variables: Mapping[int, str]) -> Iterator[str]:
    for selection in selections:
        if isinstance(selection, FieldSelection):
            alias = selection.response_key
            head = selection.name if alias == selection.name else f"{alias}: {selection.name}"
            head += arguments_text(selection, variables)
        else:
            head = f"... on {selection.type_condition}"
        for condition in selection.conditions:
            head += f" @{'include' if condition.wanted else 'skip'}(if: ${condition.variable})"
        if not selection.selections:
            yield head
            continue
        yield head + " {"
        yield from _indent(_selections(selection.selections, variables))
        yield "}"


def _indent(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield INDENT + line


def plan_json(plan: QueryPlan) -> dict[str, Any]:
    """The plan as JSON-ready data: fetches with what they depend on, their operation text, and
    where they enter.
    """
    return {
        "kind": plan.kind.value,
        "fetches": [
            {
                "id": fetch.id,
                "subgraph": fetch.subgraph,
                "kind": fetch.kind.value,
                "dependsOn": list(fetch.depends_on),
                "conditions": [_condition(c) for c in fetch.conditions],
                "anyOf": [[_condition(c) for c in some] for some in fetch.any_of],
                "deferredBy": [sorted(block) for block in fetch.blocks],
                "operationName": fetch.operation_name,
                "operation": fetch.operation,
                "variables": list(fetch.variables),
                "entityCalls": [_call_json(call) for call in fetch.entity_calls],
            }
            for fetch in plan.fetches
        ],
    }


def _condition(condition: Condition) -> dict[str, Any]:
    return {"variable": condition.variable, "wanted": condition.wanted}


def _call_json(call: EntityCall) -> dict[str, Any]:
    return {
        "paths": [print_path(path) for path in call.paths],
        "entersRoot": call.enters_root,
        "conditions": [_condition(c) for c in call.conditions],
        "anyOf": [[_condition(c) for c in some] for some in call.any_of],
        "representations": [
            {
                "types": None if spec.types is None else sorted(spec.types),
                "typename": spec.typename,
                "fields": list(_representation(spec.fields)),
            }
            for spec in call.representations
        ],
        "contexts": [
            {"variable": variable, "from": value} for variable, value in _context_texts(call)
        ],
    }
