"""What demo users talk about, read from `topics.yaml` beside this file."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Topic:
    """One subject: how sentences about it are built, and what they are built of."""

    tag: str
    interest: str
    patterns: Sequence[str]
    phrases: Mapping[str, Sequence[str]]


@cache
def read_topics() -> tuple[Topic, ...]:
    """Return all topics, in the order of the file."""
    text = resources.files(__package__).joinpath("topics.yaml").read_text("utf-8")
    return tuple(Topic(**entry) for entry in yaml.safe_load(text))
