"""Environment variables that look like settings and are none: a limit whose name is misspelt would
silently not be there.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from router.server.settings import RouterSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["unknown_settings"]

_PREFIX: Final = "ROUTER_"
# What Kubernetes and Docker set for a service that is called `router`.
_SERVICE_LINK: Final = re.compile(r"ROUTER_(SERVICE_(HOST|PORT)\w*|PORT_\d+_\w+)")


def unknown_settings(variables: Iterable[str]) -> list[str]:
    """Return a line for each variable with the settings' prefix that is no setting."""
    known = {name.upper() for name in RouterSettings.model_fields}
    named = sorted(
        name.removeprefix(_PREFIX)
        for name in variables
        if name.startswith(_PREFIX) and not _SERVICE_LINK.fullmatch(name)
    )
    return [_line(name, known) for name in named if name not in known]


def _line(name: str, known: set[str]) -> str:
    similar = get_close_matches(name, known, n=1, cutoff=0.7)
    meant = f"; is {_PREFIX}{similar[0]} meant?" if similar else ""
    return f"{_PREFIX}{name} is no setting{meant}"
