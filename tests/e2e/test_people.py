"""Following, finding and seeing who is online, through the router with the typed client, in both
modes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

from socialnet.client import PresenceChanged, PrivacySettingsInput, Visibility
from tests.e2e.conftest import System
from tests.e2e.people import new_person
from tests.support.waiting import until


async def test_both_sides_of_a_follow_agree_in_the_end(system: System) -> None:
    async with new_person(system) as follower, new_person(system) as followee:
        followed = (await follower.client.follow(followee.id)).followed
        assert followed.is_followed_by_me

        async def has_follower() -> bool:
            seen = (await followee.client.get_follows(followee.id)).user
            return seen is not None and seen.follower_count == 1

        await until(has_follower)
        await follower.client.unfollow(followee.id)

        async def has_none() -> bool:
            seen = (await followee.client.get_follows(followee.id)).user
            return seen is not None and seen.follower_count == 0

        await until(has_none)
        own = (await follower.client.get_follows(follower.id)).user
        assert own is not None
        assert own.following_count == 0


async def test_a_block_ends_follows_both_ways(system: System) -> None:
    async with new_person(system) as one, new_person(system) as other:
        await one.client.follow(other.id)
        await other.client.follow(one.id)

        await one.client.block_user(other.id)

        async def nobody_follows() -> bool:
            counts = []
            for person in (one, other):
                seen = (await person.client.get_follows(person.id)).user
                assert seen is not None
                counts += [seen.follower_count, seen.following_count]
            return not any(counts)

        await until(nobody_follows)


async def test_somebody_new_is_found_by_handle_and_name(system: System) -> None:
    async with new_person(system) as person, new_person(system) as other:
        by_handle = (await other.client.search_users(person.handle)).search_users.nodes
        by_name = (await other.client.search_users("some new", first=100)).search_users.nodes

        assert [user.id for user in by_handle] == [person.id]
        assert {person.id, other.id} & {user.id for user in by_name}


async def test_watchers_see_who_comes_and_who_hides(system: System) -> None:
    async with new_person(system) as person, new_person(system) as watcher:
        events = cast(
            "AsyncGenerator[PresenceChanged]", watcher.client.presence_changed([person.id])
        )
        async with aclosing(events):
            first = (await anext(events)).presence_changed
            await person.client.heartbeat()
            online = (await anext(events)).presence_changed
            hidden = PrivacySettingsInput(last_seen=Visibility.NOBODY)
            await person.client.update_privacy_settings(hidden)
            gone = (await anext(events)).presence_changed

        (seen,) = (await watcher.client.get_presence([person.id])).users
        assert seen is not None
        assert [one.is_online for one in (first, online, gone)] == [False, True, False]
        assert gone.last_seen is None
        assert not seen.presence.is_online
