"""``supergraph.yaml``: what a supergraph is composed of, in the format of Apollo's Rover.

::

    subgraphs:
      users:
        routing_url: http://users:4001/graphql
        schema:
          file: schema/subgraphs/users.graphql    # or sdl: |, with the text itself

Files are relative to the configuration. Fetching schemas from running subgraphs is not part of it:
what is composed should be what was reviewed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from router.composition import SubgraphInput

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["SupergraphConfigError", "read_subgraphs"]


class SupergraphConfigError(Exception):
    """The configuration, or a file it names, cannot be used; the text says which and why."""


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid")

    file: str | None = None
    sdl: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> _Schema:
        if (self.file is None) == (self.sdl is None):
            raise ValueError("needs exactly one of 'file' and 'sdl'")
        return self


class _Subgraph(BaseModel):
    model_config = ConfigDict(extra="forbid")

    routing_url: str = ""
    schema_: _Schema = Field(alias="schema")


class _Config(BaseModel):
    # Rover knows further members (federation_version); they do not concern us.
    subgraphs: dict[str, _Subgraph] = Field(min_length=1)


def read_subgraphs(path: Path) -> list[SubgraphInput]:
    """Read the configuration and the schemas it names, in the order of the file; raises
    SupergraphConfigError.
    """
    try:
        parsed: Any = yaml.safe_load(_read(path))
        config = _Config.model_validate(parsed)
    except yaml.YAMLError as error:
        raise SupergraphConfigError(f"{path} is not valid YAML: {error}") from None
    except ValidationError as error:
        raise SupergraphConfigError(f"{path}: {_describe(error)}") from None
    return [
        SubgraphInput(name, subgraph.routing_url, _sdl(subgraph.schema_, path.parent))
        for name, subgraph in config.subgraphs.items()
    ]


def _sdl(schema: _Schema, folder: Path) -> str:
    if schema.sdl is not None:
        return schema.sdl
    return _read(folder / (schema.file or ""))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SupergraphConfigError(f"{path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SupergraphConfigError(f"{path} cannot be read: {error}") from None


def _describe(error: ValidationError) -> str:
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'the file'}: {problem['msg']}"
        for problem in error.errors()
    )
