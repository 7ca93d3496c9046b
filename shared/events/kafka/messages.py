"""An event as a message of Kafka, and back.

Key: the entity's ID, so that its events share a partition and stay in order. Value: the event's
JSON. Headers repeat what readers sort by, so that they need not parse what they pass over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import ValidationError

from shared.events.event import Delivery, Event

if TYPE_CHECKING:
    from aiokafka import ConsumerRecord

__all__ = ["MalformedMessageError", "Message", "decode", "encode"]


class MalformedMessageError(Exception):
    """A message that is not an event: it has no key, or its value is not the JSON of one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What the producer needs."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    @property
    def size(self) -> int:
        """Bytes, about as many as the broker will count."""
        return (
            len(self.key)
            + len(self.value)
            + sum(len(name) + len(value) for name, value in self.headers)
        )


def encode(delivery: Delivery) -> Message:
    """The message of an event."""
    event = delivery.event
    return Message(
        key=delivery.key.encode(),
        value=event.to_json().encode(),
        headers=(
            ("type", event.type.encode()),
            ("version", str(event.version).encode()),
            ("id", str(event.id).encode()),
        ),
    )


def decode(record: ConsumerRecord) -> Delivery:
    """The event of a message. The value alone decides; headers are a convenience.

    Raises:
        MalformedMessageError: it is not one of ours.
    """
    if record.key is None or record.value is None:
        raise MalformedMessageError("the message has no key or no value")
    try:
        return Delivery(key=record.key.decode(), event=Event.model_validate_json(record.value))
    except UnicodeDecodeError as error:
        raise MalformedMessageError("the key is not UTF-8") from error
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'value'}: {each['msg']}"
            for each in error.errors(include_url=False, include_input=False)
        )
        raise MalformedMessageError(wrong) from error
