"""``supergraph.yaml``: which subgraphs there are, in Rover's format.

```yaml
federation_version: =2.11.0
subgraphs:
  users:
    routing_url: http://users:4001/graphql
    schema:
      file: schema/subgraphs/users.graphql   # relative to this file; or subgraph_url:, or sdl:
```

``${env.NAME}`` and ``${env.NAME:-default}`` stand for environment variables. Everything that can be
wrong with the file, and with what it points to, becomes a coded error with its line; all of them
are reported together. Commands and tools read such files here and nowhere else.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from router.composition.compose import compose
from router.composition.config_text import ConfigTextError, parse_config_text
from router.composition.introspection import IntrospectionError, fetch_sdl
from router.composition.result import CompositionError, CompositionResult, SubgraphInput
from router.federation.codes import ErrorCode
from router.federation.versions import LATEST_FEDERATION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

    from router.composition.config_text import ConfigText

__all__ = [
    "ConfigError",
    "SchemaSource",
    "SubgraphConfig",
    "SupergraphConfig",
    "compose_config",
    "load_config",
    "read_config",
]

_FEDERATION_VERSION: Final = re.compile(r"=?v?(\d+)(?:\.(\d+))?(?:\.\d+)?")
_PARALLEL_FETCHES: Final = 16


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SchemaSource(_Model):
    """Where a subgraph's SDL comes from: a file, a running subgraph, or the text itself."""

    file: Path | None = None
    subgraph_url: str | None = None
    introspection_headers: dict[str, str] = Field(default_factory=dict)
    sdl: str | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> SchemaSource:
        given = [item for item in (self.file, self.subgraph_url, self.sdl) if item is not None]
        if len(given) != 1:
            msg = "give exactly one of file, subgraph_url and sdl"
            raise ValueError(msg)
        return self


class SubgraphConfig(_Model):
    """One subgraph. ``routing_url`` may be left out where ``subgraph_url`` is given."""

    routing_url: str | None = None
    schema_: Annotated[SchemaSource, Field(alias="schema")]

    @model_validator(mode="after")
    def _has_url(self) -> SubgraphConfig:
        if self.routing_url is None and self.schema_.subgraph_url is None:
            msg = "routing_url is missing"
            raise ValueError(msg)
        return self

    @property
    def url(self) -> str:
        """Where the router reaches the subgraph."""
        return self.routing_url or self.schema_.subgraph_url or ""


class SupergraphConfig(_Model):
    """The whole file."""

    federation_version: str | int | float = f"{LATEST_FEDERATION.major}"
    subgraphs: dict[str, SubgraphConfig] = Field(min_length=1)

    @field_validator("federation_version")
    @classmethod
    def _known_version(cls, value: str | float) -> str | float:
        match = _FEDERATION_VERSION.fullmatch(str(value))
        major, minor = (int(match[1]), int(match[2] or 0)) if match else (0, 0)
        if major != LATEST_FEDERATION.major or minor > LATEST_FEDERATION.minor:
            msg = f"{value} is not supported; the newest known version is {LATEST_FEDERATION}"
            raise ValueError(msg)
        return value


class ConfigError(Exception):
    """The config, or something it points to, cannot be used; ``errors`` says all that is wrong."""

    def __init__(self, errors: Sequence[CompositionError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = tuple(errors)


def compose_config(path: Path, environment: Mapping[str, str] = os.environ) -> CompositionResult:
    """Compose the subgraphs that a config file lists; never raises for bad input."""
    try:
        return compose(load_config(path, environment))
    except ConfigError as error:
        return CompositionResult(None, error.errors)


def read_config(path: Path, environment: Mapping[str, str] = os.environ) -> SupergraphConfig:
    """Read a config file, and nothing that it points to.

    Raises:
        ConfigError: an unreadable file, an invalid config.
    """
    try:
        text = parse_config_text(_read(path, "the composition config"), environment)
    except ConfigTextError as error:
        raise ConfigError([_invalid(path, error.problem, error.line)]) from error
    if not isinstance(text.value, dict):
        what = "it is empty" if text.value is None else "it must be a mapping"
        raise ConfigError([_invalid(path, what)])
    try:
        return SupergraphConfig.model_validate(text.value)
    except ValidationError as error:
        raise ConfigError([_describe(item, path, text) for item in error.errors()]) from error


def load_config(
    path: Path, environment: Mapping[str, str] = os.environ
) -> tuple[SubgraphInput, ...]:
    """Read a config file and the SDL of every subgraph in it.

    Raises:
        ConfigError: an unreadable file, an invalid config, a subgraph that cannot be asked.
    """
    config = read_config(path, environment)
    loaded: dict[str, str] = {}
    errors: list[CompositionError] = []
    with ThreadPoolExecutor(max_workers=_PARALLEL_FETCHES) as pool:
        pending = {
            name: pool.submit(_load_sdl, name, subgraph.schema_, path.parent)
            for name, subgraph in config.subgraphs.items()
        }
        for name, future in pending.items():
            try:
                loaded[name] = future.result()
            except ConfigError as error:
                errors.extend(error.errors)
    if errors:
        raise ConfigError(errors)
    return tuple(
        SubgraphInput(name=name, url=subgraph.url, sdl=loaded[name])
        for name, subgraph in config.subgraphs.items()
    )


def _describe(item: ErrorDetails, path: Path, text: ConfigText) -> CompositionError:
    """One of pydantic's findings, with the place in the file and the subgraph that it concerns."""
    match item["loc"]:
        case ("subgraphs", name, *_):
            subgraphs: tuple[str, ...] = (str(name),)
        case _:
            subgraphs = ()
    unknown = item["type"] == "extra_forbidden"
    problem = "there is no such setting" if unknown else item["msg"].removeprefix("Value error, ")
    where = ".".join(map(str, item["loc"])) or "file"
    return _invalid(path, f"{where}: {problem}", text.line_of(item["loc"]), subgraphs)


def _invalid(
    path: Path, problem: str, line: int | None = None, subgraphs: tuple[str, ...] = ()
) -> CompositionError:
    return CompositionError(
        code=ErrorCode.CONFIG_INVALID,
        message=f"{path}: {problem}",
        subgraphs=subgraphs,
        line=line,
    )


def _load_sdl(name: str, source: SchemaSource, folder: Path) -> str:
    if source.sdl is not None:
        return source.sdl
    if source.file is not None:
        return _read(folder / source.file, f'the schema of subgraph "{name}"', name)
    try:
        return fetch_sdl(source.subgraph_url or "", source.introspection_headers)
    except IntrospectionError as error:
        found = CompositionError(
            code=error.code, message=f"[{name}] {error.message}", subgraphs=(name,)
        )
        raise ConfigError([found]) from error


def _read(path: Path, what: str, *subgraphs: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        found = CompositionError(
            code=ErrorCode.CONFIG_FILE_MISSING,
            message=f"Cannot read {what} ({path}): {reason}.",
            subgraphs=subgraphs,
        )
        raise ConfigError([found]) from error
