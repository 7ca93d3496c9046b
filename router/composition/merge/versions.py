"""Which Federation version a supergraph is of: the newest that one of its subgraphs speaks.

A subgraph may link single specifications beside an older Federation, which then counts as the
version that brought them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.federation.hints import HintCode
from router.federation.versions import IMPLIED_FEDERATION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.composition.model import Subgraph
    from router.composition.result import Findings
    from router.federation.versions import Version

__all__ = ["newest_version"]

_SPECS: Final = "https://specs.apollo.dev/"


def newest_version(subgraphs: Sequence[Subgraph], findings: Findings) -> Version:
    """The newest version in use; hints at subgraphs that count as newer than they say."""
    return max(_version(subgraph, findings) for subgraph in subgraphs)


def _version(subgraph: Subgraph, findings: Findings) -> Version:
    if subgraph.is_federation_1:
        return subgraph.version
    implied = (
        IMPLIED_FEDERATION.get(link.identity.removeprefix(_SPECS)) for link in subgraph.links
    )
    version = max((version for version in implied if version), default=subgraph.version)
    if version <= subgraph.version:
        return subgraph.version
    findings.hint(
        HintCode.IMPLICITLY_UPGRADED_FEDERATION_VERSION,
        f'Subgraph "{subgraph.name}" has been implicitly upgraded from federation'
        f" {subgraph.version} to {version}: it links a specification of that version.",
        subgraphs=(subgraph.name,),
    )
    return version
