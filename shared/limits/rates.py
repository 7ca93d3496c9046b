"""Limits as values, and as settings write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

__all__ = ["RateLimit", "RateSetting"]

RateSetting = Annotated[str, Field(pattern=r"^([1-9]\d{0,8}/[1-9]\d{0,6}|off)$")]
"""A limit in settings: ``20/60`` is 20 in 60 seconds; ``off`` is none."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``amount`` in any ``seconds``. ``name`` tells apart what is counted."""

    name: str
    amount: int
    seconds: int

    @classmethod
    def of(cls, name: str, setting: str) -> RateLimit | None:
        """The limit of a ``RateSetting``; None when it is off."""
        if setting == "off":
            return None
        amount, _, seconds = setting.partition("/")
        return cls(name, int(amount), int(seconds))
