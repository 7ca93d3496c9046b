"""The report of a comparison: changes, each with a code and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Change", "ChangeCode", "Report", "Severity"]


class Severity(StrEnum):
    """Whom a change can hurt.

    ``BREAKING``: operations that were valid, or were answered, no longer are. ``DANGEROUS``: they
    still are, but a client may be surprised (a new enum value), or a router that still runs the old
    supergraph may ask a subgraph for what it no longer gives. ``SAFE``: nobody.
    """

    BREAKING = "breaking"
    DANGEROUS = "dangerous"
    SAFE = "safe"


class ChangeCode(StrEnum):
    """Changes found here; those that graphql-core finds keep the names it gives them."""

    ROOT_TYPE_CHANGED = "ROOT_TYPE_CHANGED"
    ROOT_TYPE_REMOVED = "ROOT_TYPE_REMOVED"
    ROOT_TYPE_ADDED = "ROOT_TYPE_ADDED"
    DEFAULT_OF_REQUIRED_REMOVED = "DEFAULT_OF_REQUIRED_REMOVED"
    ONE_OF_ADDED = "ONE_OF_ADDED"
    ONE_OF_REMOVED = "ONE_OF_REMOVED"
    SPECIFIED_BY_CHANGED = "SPECIFIED_BY_CHANGED"
    DEPRECATION_ADDED = "DEPRECATION_ADDED"
    DEPRECATION_CHANGED = "DEPRECATION_CHANGED"
    DEPRECATION_REMOVED = "DEPRECATION_REMOVED"
    ACCESS_RESTRICTED = "ACCESS_RESTRICTED"
    ACCESS_LOOSENED = "ACCESS_LOOSENED"
    COST_CHANGED = "COST_CHANGED"
    SUBGRAPH_ADDED = "SUBGRAPH_ADDED"
    SUBGRAPH_REMOVED = "SUBGRAPH_REMOVED"
    SUBGRAPH_URL_CHANGED = "SUBGRAPH_URL_CHANGED"
    KEY_ADDED = "KEY_ADDED"
    KEY_REMOVED = "KEY_REMOVED"
    INTERFACE_OBJECT_CHANGED = "INTERFACE_OBJECT_CHANGED"
    OVERRIDE_LABEL_CHANGED = "OVERRIDE_LABEL_CHANGED"
    FIELD_RESOLVER_ADDED = "FIELD_RESOLVER_ADDED"
    FIELD_RESOLVER_REMOVED = "FIELD_RESOLVER_REMOVED"
    REQUIREMENT_CHANGED = "REQUIREMENT_CHANGED"
    PROVISION_ADDED = "PROVISION_ADDED"
    PROVISION_REMOVED = "PROVISION_REMOVED"
    RUNTIME_TYPE_ADDED = "RUNTIME_TYPE_ADDED"
    RUNTIME_TYPE_REMOVED = "RUNTIME_TYPE_REMOVED"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One difference. ``code`` is a :class:`ChangeCode` or the name of one of graphql-core's."""

    severity: Severity
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """All differences, in the order in which they were found."""

    changes: tuple[Change, ...]

    def of(self, severity: Severity) -> tuple[Change, ...]:
        """The changes of one severity."""
        return tuple(change for change in self.changes if change.severity is severity)

    @property
    def is_breaking(self) -> bool:
        """Whether anything is breaking."""
        return bool(self.of(Severity.BREAKING))
