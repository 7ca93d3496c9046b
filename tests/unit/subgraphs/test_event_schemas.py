"""Events say whose they are. Their schemas are checked in: tests/unit/socialnet."""

from __future__ import annotations

import pytest

from shared.events import EventPayload
from subgraphs.posts import events as posts_events
from subgraphs.users import events as users_events

PAYLOADS: tuple[type[EventPayload], ...] = (*users_events.EVENTS, *posts_events.EVENTS)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_event_is_named_after_an_entity_of_its_domain(payload: type[EventPayload]) -> None:
    entities = {"post"} if payload in posts_events.EVENTS else {"user", "device"}

    assert payload.event_type.partition(".")[0] in entities
    assert payload.__doc__
