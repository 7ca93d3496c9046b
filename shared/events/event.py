"""The envelope of every event, and the base of the payloads in it.

An event is versioned JSON. A payload class is one version of one type: when a payload changes in a
way that readers would not survive, a new class with a higher version is added and the old one stays
until nobody writes it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic.alias_generators import to_camel

from shared.sharding.uuid7 import new_uuid7

if TYPE_CHECKING:
    from shared.sharding import EntityId, Slot

__all__ = ["Delivery", "Event", "EventPayload", "UnreadableEventError"]

_CONFIG = ConfigDict(
    frozen=True,
    extra="forbid",
    alias_generator=to_camel,
    validate_by_name=True,
    validate_by_alias=True,
)


class UnreadableEventError(Exception):
    """The event is not what its type and version say, or its version is not known.

    To try again is of no use.
    """


class EventPayload(BaseModel):
    """What one version of one type of event says."""

    model_config = _CONFIG

    event_type: ClassVar[str]
    """The type's name, ``<entity>.<past participle>``."""
    event_version: ClassVar[int] = 1

    @classmethod
    def read(cls, event: Event) -> Self | None:
        """The payload of ``event``; None when that is of another type or version.

        Raises:
            UnreadableEventError: the payload does not fit the type.
        """
        if (event.type, event.version) != (cls.event_type, cls.event_version):
            return None
        try:
            return cls.model_validate(event.payload)
        except ValidationError as error:
            raise UnreadableEventError(f"{event.type}: {error.error_count()} errors") from error

    @abstractmethod
    def entity_id(self) -> str:
        """The ID of the entity it is about: events of one entity stay in order."""


class Event(BaseModel):
    """The envelope.

    ``id`` identifies the event itself: consumers see an event again after a crash and know it by
    that.
    """

    model_config = _CONFIG

    id: UUID
    type: str = Field(pattern=r"^[a-z_]+\.[a-z_]+$")
    version: int = Field(ge=1)
    occurred_at: AwareDatetime
    slot: int = Field(ge=0)
    actor: str | None = None
    payload: dict[str, JsonValue]

    @classmethod
    def of(cls, payload: EventPayload, *, slot: Slot, actor: EntityId | None) -> Self:
        """A new event of now, in the slot of the row that changed, caused by ``actor`` (None: the
        system).
        """
        return cls(
            id=new_uuid7(),
            type=payload.event_type,
            version=payload.event_version,
            occurred_at=datetime.now(UTC),
            slot=slot,
            actor=None if actor is None else str(actor),
            payload=payload.model_dump(mode="json", by_alias=True),
        )

    def to_json(self) -> str:
        """The event as it goes over the wire."""
        return self.model_dump_json(by_alias=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event on its way to a sink.

    ``key`` is the entity's ID, and the partition key of a broker.
    """

    key: str
    event: Event
