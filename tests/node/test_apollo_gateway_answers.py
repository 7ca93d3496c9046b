"""Apollo Gateway answers the federation cases, and random queries over them, as we do.

Where it does not, `tests/federation/gateway/differences.toml` says why.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.federation.gateway.comparisons import Comparison, compare_with_gateway

pytestmark = [pytest.mark.node, pytest.mark.usefixtures("npm_packages")]

TABLE = Path(__file__).parents[1] / "federation" / "gateway" / "differences.toml"


def _explained(kind: str) -> set[str]:
    content = tomllib.loads(TABLE.read_text())
    return {case for difference in content["difference"] for case in difference.get(kind, ())}


def _shown(comparison: Comparison) -> str:
    return (
        f"\n{comparison.case}  {' '.join(comparison.query.split())}  {comparison.variables}"
        f"\n  ours:    {comparison.ours}\n  gateway: {comparison.gateway}"
    )


async def test_apollo_gateway_answers_as_we_do_or_the_table_says_why() -> None:
    always, sometimes = _explained("cases"), _explained("sometimes")

    comparisons = await compare_with_gateway()

    differing = [one for one in comparisons if not one.ours.agrees(one.gateway)]
    unexplained = [one for one in differing if one.case not in always | sometimes]
    assert not unexplained, "".join(map(_shown, unexplained))
    assert always - {one.case for one in differing} == set()
    assert len(comparisons) > 3 * len(differing)
