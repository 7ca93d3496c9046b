"""The checked-in JSON Schemas of events are those of the code, and events fit them."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.events import EventPayload, event_schemas
from subgraphs.posts import events as posts_events
from subgraphs.users import events as users_events

FOLDER = Path(__file__).parents[3] / "schema" / "events"
PAYLOADS: tuple[type[EventPayload], ...] = (*users_events.EVENTS, *posts_events.EVENTS)


def test_the_checked_in_schemas_are_current() -> None:
    checked_in = {file.name: file.read_text("utf-8") for file in FOLDER.iterdir()}

    assert checked_in == event_schemas(PAYLOADS)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_every_event_has_a_name_of_its_domain(payload: type[EventPayload]) -> None:
    domain = "post" if payload in posts_events.EVENTS else "user"

    assert payload.event_type.startswith(f"{domain}.")
    assert payload.__doc__
