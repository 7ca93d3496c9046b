"""Token buckets, kept as one number each: the time at which the bucket will be full again.

A bucket of 600 per 60 seconds holds 600 tokens and gains 10 a second. Taking 50 of them moves the
time at which it is full by 5 seconds; a request is refused where that would be more than 60 seconds
away. A time that has passed says nothing (the bucket is full), so old entries may be forgotten.

What costs more than a whole bucket takes a whole one: it must wait for a full bucket, not for ever.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BucketStore", "Draw", "Rate", "Verdict", "decide"]


@dataclass(frozen=True, slots=True)
class Rate:
    """``amount`` tokens in ``seconds``; ``name`` is what clients see of it."""

    name: str
    amount: int
    seconds: int

    @classmethod
    def parse(cls, name: str, text: str) -> Rate:
        """Read ``600/60``: 600 in 60 seconds."""
        amount, _, seconds = text.partition("/")
        return cls(name, int(amount), int(seconds))

    @property
    def policy(self) -> str:
        """The rate as an item of the header ``RateLimit-Policy``."""
        return f'"{self.name}";q={self.amount};w={self.seconds}'


@dataclass(frozen=True, slots=True)
class Draw:
    """What is to be taken from somebody's bucket."""

    rate: Rate
    key: str  # whose bucket
    amount: float = 1.0

    @property
    def bucket(self) -> str:
        """The bucket's name in a store."""
        return f"{self.rate.name}:{self.key}"

    @property
    def need(self) -> float:
        """The seconds in which the bucket regains what is taken."""
        rate = self.rate
        return min(self.amount, rate.amount) * rate.seconds / rate.amount


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether all draws were granted. If one is not, nothing is taken from any.

    ``missing`` are the seconds until each bucket is full, before the draws.
    """

    granted: bool
    missing: tuple[float, ...]

    def wait(self, draws: Sequence[Draw]) -> int:
        """The whole seconds after which all draws would be granted."""
        over = (
            missing + draw.need - draw.rate.seconds
            for draw, missing in zip(draws, self.missing, strict=True)
        )
        return max(1, ceil(max(over, default=0.0)))

    def standings(self, draws: Sequence[Draw]) -> str:
        """What is left in each bucket, as the value of the header ``RateLimit``."""
        items = []
        for draw, before in zip(draws, self.missing, strict=True):
            rate = draw.rate
            missing = before + (draw.need if self.granted else 0.0)
            left = int((rate.seconds - missing) * rate.amount / rate.seconds + 1e-6)
            items.append(f'"{rate.name}";r={max(left, 0)};t={ceil(missing)}')
        return ", ".join(items)


class BucketStore(Protocol):
    """Where buckets are kept."""

    async def take(self, draws: Sequence[Draw]) -> Verdict:
        """Take from all buckets, or from none where one has too little."""
        ...

    async def aclose(self) -> None:
        """Give connections up."""
        ...


def decide(draws: Sequence[Draw], missing: Sequence[float]) -> bool:
    """Tell whether buckets that lack so many seconds grant the draws."""
    # The tolerance is for sums of fractions: a full bucket grants what is exactly its size.
    return all(
        before + draw.need <= draw.rate.seconds + 1e-6
        for draw, before in zip(draws, missing, strict=True)
    )
