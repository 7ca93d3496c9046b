"""The supergraph's ``@link`` entries, and the names its directives go by.

A directive that subgraphs import under a name of their own keeps that name, if they agree on it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from router.composition.merge.directives import COMPOSED
from router.composition.supergraph_model import MergedLink
from router.federation.codes import ErrorCode
from router.federation.directives import FederationDirective, spec_directives
from router.federation.join import JOIN_IDENTITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.federation.versions import Version

__all__ = ["SPECS", "Spec", "agree_on_names", "core_links", "spec_link"]

_D: Final = FederationDirective
_SECURITY: Final = "SECURITY"


def core_links(join: Version) -> tuple[MergedLink, ...]:
    """The links that every supergraph has."""
    return (
        MergedLink("https://specs.apollo.dev/link/v1.0"),
        MergedLink(f"{JOIN_IDENTITY}/{join}", purpose="EXECUTION"),
    )


class Spec:
    """A specification that a supergraph links when one of its directives is applied."""

    def __init__(self, name: str, version: str, purpose: str | None = None) -> None:
        self.name = name
        self.url = f"https://specs.apollo.dev/{name}/{version}"
        self.purpose = purpose
        self.directives = tuple(spec_directives(name))

    def default_name(self, kind: FederationDirective) -> str:
        """A directive's name in the supergraph when nothing imports it under another one."""
        return str(kind) if kind == self.name else f"{self.name}__{kind}"


SPECS: Final = (
    Spec("tag", "v0.3"),
    Spec("inaccessible", "v0.2", _SECURITY),
    Spec("authenticated", "v0.1", _SECURITY),
    Spec("requiresScopes", "v0.1", _SECURITY),
    Spec("policy", "v0.1", _SECURITY),
    Spec("context", "v0.1", _SECURITY),
    Spec("cost", "v0.1"),
    Spec("cacheTag", "v0.1", "EXECUTION"),
)


def agree_on_names(
    subgraphs: Sequence[Subgraph], findings: Findings
) -> Mapping[FederationDirective, str]:
    """The supergraph's names of the merged directives: those under which subgraphs apply them."""
    applied: dict[FederationDirective, dict[str, list[str]]] = {}
    for subgraph in subgraphs:
        for kind, local in sorted(_applied(subgraph)):
            applied.setdefault(kind, {}).setdefault(local, []).append(subgraph.name)
    names: dict[FederationDirective, str] = {}
    for kind, found in applied.items():
        if len(found) > 1:
            where = " but ".join(
                f'"@{local}" in {", ".join(owners)}' for local, owners in found.items()
            )
            findings.error(
                ErrorCode.LINK_IMPORT_NAME_MISMATCH,
                f'The "@{kind}" directive (from the federation specification) is imported with'
                f" mismatched name between subgraphs: it is imported as {where}.",
                subgraphs=tuple(name for owners in found.values() for name in owners),
                coordinates=(f"@{kind}",),
            )
        else:
            names[kind] = next(iter(found))
    return names


def _applied(subgraph: Subgraph) -> set[tuple[FederationDirective, str]]:
    """The merged directives that a subgraph applies, with the names that it uses for them."""
    return {
        (use.kind, use.name)
        for element in subgraph.elements()
        for use in element.uses
        if use.kind in COMPOSED
    }


def spec_link(spec: Spec, names: Mapping[FederationDirective, str]) -> MergedLink:
    """A specification's link, with the imports that give its directives their names."""
    imports = []
    for kind in spec.directives:
        local = names.get(kind, spec.default_name(kind))
        if local == spec.default_name(kind):
            continue
        if local == kind:
            imports.append(f'"@{kind}"')
        else:
            imports.append(f"{{name: {json.dumps(f'@{kind}')}, as: {json.dumps(f'@{local}')}}}")
    return MergedLink(spec.url, imports=tuple(imports), purpose=spec.purpose)
