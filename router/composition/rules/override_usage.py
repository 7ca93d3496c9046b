"""``@override``: where it may stand, and what its label may be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from router.composition.model import TypeKind
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective

if TYPE_CHECKING:
    from router.composition.facts import Facts
    from router.composition.model import Subgraph
    from router.composition.result import Findings

__all__ = ["check_override_usage"]

_LABEL: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_\-:./]*")
_PERCENT: Final = re.compile(r"percent\((\d{1,3}(?:\.\d{1,8})?)\)")


def check_override_usage(subgraph: Subgraph, facts: Facts, findings: Findings) -> None:
    """Report overrides on interfaces' fields, and labels that no router would understand."""
    del facts
    for definition in subgraph.types.values():
        for field in definition.fields.values():
            use = field.find(FederationDirective.OVERRIDE)
            if use is None:
                continue
            coordinate = f"{definition.name}.{field.name}"
            label = use.string("label")
            if definition.kind is TypeKind.INTERFACE:
                code = ErrorCode.OVERRIDE_ON_INTERFACE
                problem = (
                    f'@override cannot be used on field "{coordinate}" on subgraph'
                    f' "{subgraph.name}": @override is not supported on interface type fields.'
                )
            elif definition.is_interface_object:
                code = ErrorCode.OVERRIDE_COLLISION_WITH_ANOTHER_DIRECTIVE
                problem = (
                    "@override is not supported on fields of @interfaceObject types: cannot be used"
                    f' on field "{coordinate}" on subgraph "{subgraph.name}".'
                )
            elif label is not None and not _is_label(label):
                code = ErrorCode.OVERRIDE_LABEL_INVALID
                problem = (
                    f'Invalid @override label "{label}" on field "{coordinate}" on subgraph'
                    f' "{subgraph.name}": labels must start with a letter and after that may'
                    " contain alphanumerics, underscores, minuses, colons, periods, or slashes."
                    ' Alternatively, labels may be of the form "percent(x)" where x is a number'
                    " between 0-100 inclusive with up to 8 decimal places."
                )
            else:
                continue
            findings.error(
                code,
                problem,
                subgraphs=(subgraph.name,),
                coordinates=(coordinate,),
                line=field.line,
            )


def _is_label(label: str) -> bool:
    percent = _PERCENT.fullmatch(label)
    if percent:
        return float(percent[1]) <= 100
    return _LABEL.fullmatch(label) is not None
