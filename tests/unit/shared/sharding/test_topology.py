"""The topology: every slot has exactly one shard, by weight, and damage is refused."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sharding import ShardConfig, ShardId, Slot, Topology, TopologyError
from shared.sharding.ids import MAX_SLOTS


def config(number: int, weight: int = 1) -> ShardConfig:
    primary = f"postgresql+asyncpg://app:secret@db{number}/users"
    return ShardConfig(id=ShardId(f"shard-{number}"), primary=primary, weight=weight)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    weights = draw(st.lists(st.integers(1, 5), min_size=1, max_size=8))
    slots = draw(st.integers(len(weights), 600))
    shards = [config(number, weight) for number, weight in enumerate(weights)]
    return Topology.initial(shards, slots)


@given(topologies())
def test_every_slot_has_exactly_one_shard_in_contiguous_ranges(topology: Topology) -> None:
    ranges = [topology.slots_of(shard) for shard in topology.shard_ids]

    assert [slot for slots in ranges for slot in slots] == list(range(topology.slots))
    for slot in range(topology.slots):
        assert slot in topology.slots_of(topology.shard_of(Slot(slot)))


@given(topologies())
def test_shards_get_slots_by_their_weight(topology: Topology) -> None:
    total = sum(shard.weight for shard in topology.shards)
    for shard in topology.shards:
        fair = topology.slots * shard.weight / total
        assert abs(len(topology.slots_of(shard.id)) - fair) < 1


@given(topologies())
def test_a_topology_survives_being_stored(topology: Topology) -> None:
    stored = orjson.loads(orjson.dumps(topology.to_dict()))

    assert Topology.from_dict(stored) == topology


def test_runs_of_slots_are_stored_as_counts() -> None:
    topology = Topology.initial([config(0), config(1, weight=3)])

    assert topology.to_dict()["owners"] == [["shard-0", 64], ["shard-1", 192]]


def test_passwords_do_not_show() -> None:
    assert "secret" not in repr(Topology.initial([config(0)]))


def test_an_unknown_shard_is_a_key_error() -> None:
    topology = Topology.initial([config(0)])

    assert topology.shard(ShardId("shard-0")) == config(0)
    with pytest.raises(KeyError):
        topology.shard(ShardId("shard-1"))


OWNERS = (ShardId("shard-0"), ShardId("shard-1"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"epoch": 0}, "epoch", id="epoch"),
        pytest.param({"slots": 0, "owners": ()}, "number of slots", id="no slots"),
        pytest.param({"slots": MAX_SLOTS + 1}, "number of slots", id="too many slots"),
        pytest.param({"shards": ()}, "at least one shard", id="no shards"),
        pytest.param({"shards": (config(0), config(0))}, "'shard-0' stands twice", id="twice"),
        pytest.param({"owners": OWNERS[:1]}, "1 owners for 2 slots", id="slot without owner"),
        pytest.param({"owners": (*OWNERS, "shard-0")}, "3 owners", id="owner without slot"),
        pytest.param({"owners": ("shard-0", "shard-9")}, "unknown shards: shard-9", id="unknown"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {
        "epoch": 1,
        "slots": 2,
        "shards": (config(0), config(1)),
        "owners": OWNERS,
    }
    Topology(**good)

    with pytest.raises(TopologyError, match=message):
        Topology(**(good | changes))


def test_one_address_for_two_shards_is_refused_without_showing_it() -> None:
    twin = ShardConfig(id=ShardId("twin"), primary=config(0).primary)

    with pytest.raises(TopologyError, match="primary address stands twice") as raised:
        Topology.initial([config(0), twin])
    assert "secret" not in str(raised.value)


def test_more_shards_than_slots_are_refused() -> None:
    with pytest.raises(TopologyError, match="3 shards cannot share 2 slots"):
        Topology.initial([config(0), config(1), config(2)], slots=2)


@pytest.mark.parametrize("name", ["", "Shard", "shard 1", "-shard", "s" * 33, "shard\n", "ſhard"])
def test_odd_shard_names_are_refused(name: str) -> None:
    with pytest.raises(TopologyError, match="not a shard name"):
        ShardConfig(id=ShardId(name), primary="postgresql://db/users")


def test_a_weight_of_nothing_is_refused() -> None:
    with pytest.raises(TopologyError, match="weight"):
        config(0, weight=0)


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("epoch", "slots", "shards", "owners", "else"), json)
    )
)
def test_a_damaged_stored_topology_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(TopologyError):
        Topology.from_dict(data)


def test_a_stored_topology_with_an_endless_run_is_refused() -> None:
    stored = Topology.initial([config(0)]).to_dict() | {"owners": [["shard-0", 10**12]]}

    with pytest.raises(TopologyError, match="owners"):
        Topology.from_dict(stored)
