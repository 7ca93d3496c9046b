"""Composition of Federation subgraphs into a supergraph; see ``compose.py`` for the stages."""

from router.composition.compose import compose
from router.composition.config import ConfigError, compose_config, load_config, read_config
from router.composition.result import (
    CompositionError,
    CompositionHint,
    CompositionResult,
    SubgraphInput,
)

__all__ = [
    "CompositionError",
    "CompositionHint",
    "CompositionResult",
    "ConfigError",
    "SubgraphInput",
    "compose",
    "compose_config",
    "load_config",
    "read_config",
]
