"""The domains of socialnet: the one list that commands, the embedded runtime and exports go by.

A domain has a subgraph (`subgraphs.<name>`), migrations (`migrations/<name>`) and a database of its
name on every shard. Modules are imported when they are needed: `socialnet --help` loads no domain.
"""

from __future__ import annotations

import importlib
from enum import StrEnum
from typing import TYPE_CHECKING

from shared.errors import OperatorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError

    from shared.events import EventPayload
    from shared.settings import ServiceSettings


class Domain(StrEnum):
    """A domain's name."""

    USERS = "users"
    POSTS = "posts"


class SettingsError(OperatorError):
    """The environment lacks a setting of a service, or has one that cannot be used."""


def subgraph_sdl(domain: Domain) -> str:
    """The federation SDL of a domain's subgraph, made from its Strawberry classes."""
    sdl: str = importlib.import_module(f"subgraphs.{domain}.schema").schema_sdl()
    return sdl


def events_of(domain: Domain) -> Sequence[type[EventPayload]]:
    """The payload classes of everything that a domain says."""
    events: Sequence[type[EventPayload]] = importlib.import_module(
        f"subgraphs.{domain}.events"
    ).EVENTS
    return events


def settings_of(domain: Domain) -> ServiceSettings:
    """A domain's settings, read from the environment (`USERS_SHARDS`, ...).

    Raises:
        SettingsError: names every variable that is missing or wrong; values are not repeated.
    """
    import pydantic
    import pydantic_settings

    module = importlib.import_module(f"subgraphs.{domain}.settings")
    try:
        settings: ServiceSettings = getattr(module, f"{domain.capitalize()}Settings")()
    except pydantic.ValidationError as error:
        raise SettingsError(_explain(domain, error)) from None
    except pydantic_settings.SettingsError as error:
        message = f"The settings of {domain} cannot be read: {error}."
        raise SettingsError(message) from None
    return settings


def _explain(domain: Domain, error: ValidationError) -> str:
    problems = []
    for each in error.errors(include_input=False, include_url=False):
        name = f"{domain}_{each['loc'][0]}".upper() if each["loc"] else domain.upper()
        rest = "".join(f"[{part}]" for part in each["loc"][1:])
        problems.append(f"{name}{rest}: {each['msg']}")
    return "; ".join(problems)
