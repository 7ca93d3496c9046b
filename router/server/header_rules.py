"""``ROUTER_HEADER_RULES``: which headers subgraphs get beyond ``ROUTER_FORWARD_HEADERS``.

::

    [
      {"propagate": "x-tenant", "rename": "x-org", "default": "public"},
      {"propagate_matching": "x-app-.*", "subgraphs": ["posts"]},
      {"insert": "x-client", "value": "router"},
      {"remove": "authorization", "subgraphs": ["weather"]}
    ]
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from router.executor.header_rules import InsertHeader, PropagateHeader, RemoveHeader
from router.executor.transport.http_pool import OWN_HEADERS
from router.server.router_secret import ROUTER_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from router.executor.header_rules import HeaderRule

__all__ = ["NEVER_FORWARDED", "HeaderRuleSetting", "rules_for"]

NEVER_FORWARDED: Final = OWN_HEADERS | {ROUTER_HEADER}
"""What no rule passes on or sets: headers of one connection, and the router's secret."""


def _name(name: str) -> str:
    lower = name.strip().lower()
    if lower in NEVER_FORWARDED:
        raise ValueError(f"'{lower}' is the router's own on each connection, never forwarded")
    return lower


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"no regular expression: {error}") from None
    return text


_TOKEN = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"  # noqa: S105 - the grammar of a name (RFC 9110)
_Name = Annotated[str, Field(pattern=_TOKEN), AfterValidator(_name)]
_Pattern = Annotated[str, AfterValidator(_pattern)]
_Value = Annotated[str, Field(pattern=r"^[\t\x20-\x7e]*$")]


class HeaderRuleSetting(BaseModel):
    """One rule: exactly one of the first five members says what it does."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    propagate: _Name | None = None
    propagate_matching: _Pattern | None = None
    insert: _Name | None = None
    remove: _Name | None = None
    remove_matching: _Pattern | None = None
    rename: _Name | None = None
    default: _Value | None = None
    value: _Value | None = None
    subgraphs: tuple[str, ...] | None = Field(default=None, description="None: all of them.")

    @model_validator(mode="after")
    def _one_action(self) -> Self:
        actions = (
            self.propagate,
            self.propagate_matching,
            self.insert,
            self.remove,
            self.remove_matching,
        )
        if sum(action is not None for action in actions) != 1:
            raise ValueError(
                "a header rule has exactly one of propagate, insert, remove, …_matching"
            )
        if (self.insert is None) is not (self.value is None):
            raise ValueError("'value' goes with 'insert'")
        if self.propagate is None and (self.rename is not None or self.default is not None):
            raise ValueError("'rename' and 'default' go with 'propagate'")
        return self

    @property
    def reads(self) -> re.Pattern[str] | None:
        """The names of the client's headers that this rule passes on; None: of none."""
        if self.propagate is not None:
            return re.compile(re.escape(self.propagate))
        if self.propagate_matching is not None:
            return re.compile(self.propagate_matching, re.IGNORECASE)
        return None

    def compile(self) -> HeaderRule:
        """Return the rule as the executor has it."""
        if self.insert is not None:
            return InsertHeader(name=self.insert, value=self.value or "")
        reads = self.reads
        if reads is None:
            name = re.escape(self.remove) if self.remove is not None else self.remove_matching
            return RemoveHeader(matching=re.compile(name or "", re.IGNORECASE))
        default = None
        if self.propagate is not None and self.default is not None:
            default = (self.rename or self.propagate, self.default)
        return PropagateHeader(matching=reads, rename=self.rename, default=default)


def rules_for(
    subgraph: str, forwarded: Iterable[str], rules: Iterable[HeaderRuleSetting]
) -> tuple[HeaderRule, ...]:
    """Return the rules of one subgraph: those headers that all subgraphs get come first."""
    first = tuple(PropagateHeader(matching=re.compile(re.escape(name))) for name in forwarded)
    return first + tuple(
        rule.compile() for rule in rules if rule.subgraphs is None or subgraph in rule.subgraphs
    )
