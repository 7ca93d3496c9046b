from __future__ import annotations

from typing import ClassVar

import pytest
from typing_extensions import override

from shared.events import Event, EventPayload, UnreadableEventError
from shared.sharding import Slot


class Weighed(EventPayload):
    """For tests."""

    event_type: ClassVar[str] = "thing.weighed"
    event_version: ClassVar[int] = 2

    grams: int

    @override
    def entity_id(self) -> str:
        return "thing"


EVENT = Event.of(Weighed(grams=5), slot=Slot(1), actor=None)


def test_a_payload_is_read_from_an_event_of_its_type_and_version() -> None:
    assert Weighed.read(EVENT) == Weighed(grams=5)


@pytest.mark.parametrize("change", [{"type": "thing.measured"}, {"version": 1}], ids=str)
def test_events_of_other_types_and_versions_are_passed_over(change: dict[str, object]) -> None:
    assert Weighed.read(EVENT.model_copy(update=change)) is None


def test_a_payload_that_does_not_fit_its_type_is_an_error_that_quotes_nothing() -> None:
    event = EVENT.model_copy(update={"payload": {"grams": "secret"}})

    with pytest.raises(UnreadableEventError, match=r"^thing\.weighed: 1 errors$"):
        Weighed.read(event)
