"""Entity IDs: one spelling each, and everything else refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid1, uuid4

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from shared.sharding import EntityId, InvalidIdError, Slot
from shared.sharding.ids import MAX_SLOTS
from shared.sharding.uuid7 import make_uuid7

CANONICAL = "17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f"

slots = st.integers(0, MAX_SLOTS - 1).map(Slot)
uuids = st.builds(
    make_uuid7, milliseconds=st.integers(0, 2**48 - 1), random=st.integers(0, 2**74 - 1)
)
ids = st.builds(EntityId, slots, uuids)


@given(ids)
def test_text_and_id_round_trip(entity_id: EntityId) -> None:
    assert EntityId.parse(str(entity_id), slots=MAX_SLOTS) == entity_id


@given(st.text())
@example(CANONICAL.upper())
def test_any_accepted_text_is_the_one_spelling_of_its_id(text: str) -> None:
    try:
        entity_id = EntityId.parse(text)
    except InvalidIdError:
        return
    assert str(entity_id) == text


@given(ids, st.integers(0, 60), st.characters())
def test_an_id_with_one_character_put_in_is_refused_or_its_own(
    entity_id: EntityId, place: int, character: str
) -> None:
    text = str(entity_id)
    changed = text[:place] + character + text[place:]
    assume(changed != text)

    try:
        other = EntityId.parse(changed, slots=MAX_SLOTS)
    except InvalidIdError:
        return
    assert str(other) == changed
    assert other != entity_id


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("17", id="no uuid"),
        pytest.param("-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="no slot"),
        pytest.param("017-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="leading zero"),
        pytest.param("00-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="two zeros"),
        pytest.param("+17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="plus"),
        pytest.param("-17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="minus"),
        pytest.param("1_7-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="underscore"),
        pytest.param("١٧-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="Arabic digits"),
        pytest.param("17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5F", id="upper case"),
        pytest.param("17-0198c1f2-a4b8-7c3e-9d5f-0a1b2c3d4e5f", id="hyphens"),
        pytest.param("17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5", id="short"),
        pytest.param("17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f0", id="long"),
        pytest.param("17-0198c1f2a4b87c3e9d5f0a1b2c3d4e5g", id="no hex"),
        pytest.param("17_0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="other separator"),
        pytest.param("17–0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="dash"),
        pytest.param(" " + CANONICAL, id="space before"),
        pytest.param(CANONICAL + " ", id="space after"),
        pytest.param(CANONICAL + "\n", id="newline after"),
        pytest.param(CANONICAL + "\0", id="NUL after"),
        pytest.param(f"17-{uuid4().hex}", id="version 4"),
        pytest.param(f"17-{uuid1().hex}", id="version 1"),
        pytest.param("17-0198c1f2a4b87c3e1d5f0a1b2c3d4e5f", id="other variant"),
        pytest.param("256-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="slot too great"),
        pytest.param("99999-0198c1f2a4b87c3e9d5f0a1b2c3d4e5f", id="slot beyond smallint"),
        pytest.param("9" * 10_000 + CANONICAL, id="huge slot"),
        pytest.param(CANONICAL + "0" * 1_000_000, id="huge"),
    ],
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(InvalidIdError) as raised:
        EntityId.parse(text, slots=256, field="userId")

    assert raised.value.extensions == {"code": "BAD_USER_INPUT", "field": "userId"}


def test_the_greatest_slot_is_one_below_the_number_of_slots() -> None:
    assert EntityId.parse(CANONICAL, slots=18).slot == 17
    with pytest.raises(InvalidIdError):
        EntityId.parse(CANONICAL, slots=17)


def test_a_new_id_is_of_now_and_of_its_slot() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    entity_id = EntityId.new(Slot(3))

    assert before <= entity_id.created_at <= datetime.now(UTC) + timedelta(milliseconds=2)
    assert entity_id.slot == 3
    assert EntityId.parse(str(entity_id)) == entity_id


def test_the_creation_time_is_utc_to_the_millisecond() -> None:
    uuid = UUID("0198c1f2-a4b8-7c3e-9d5f-0a1b2c3d4e5f")

    created_at = EntityId(Slot(17), uuid).created_at

    assert created_at == datetime(2025, 8, 19, 10, 49, 21, 336_000, tzinfo=UTC)
