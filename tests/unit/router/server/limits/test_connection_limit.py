"""Connections of one client at a time."""

from contextlib import ExitStack

from router.server.limits.connections import ConnectionLimit


def test_each_key_has_its_own_number() -> None:
    limit = ConnectionLimit(2)

    with ExitStack() as held:
        assert held.enter_context(limit.hold("a"))
        assert held.enter_context(limit.hold("a"))
        assert not held.enter_context(limit.hold("a"))
        assert held.enter_context(limit.hold("b"))
    assert limit.keys == 0


def test_a_connection_that_ends_makes_room() -> None:
    limit = ConnectionLimit(1)

    with limit.hold("a") as first:
        with limit.hold("a") as second:
            assert (first, second) == (True, False)
        with limit.hold("a") as third:
            assert not third  # a refused one did not free the place of the first
    with limit.hold("a") as fourth:
        assert fourth


def test_without_a_maximum_nothing_is_counted() -> None:
    limit = ConnectionLimit(None)

    with limit.hold("a") as held:
        assert held
        assert limit.keys == 0
