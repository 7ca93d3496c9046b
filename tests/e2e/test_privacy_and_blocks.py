"""Privacy, contacts and blocks through the router with the typed client, in both modes."""

from __future__ import annotations

import pytest

from socialnet.client import (
    CreatePostInput,
    GraphQLClientGraphQLMultiError,
    PrivacySettingsInput,
    UpdateProfileInput,
    Visibility,
)
from tests.e2e.conftest import System
from tests.e2e.people import Person, ask, new_person

AUTHOR = "query ($id: ID!) { post(id: $id) { author { handle displayName bio } } }"


async def test_settings_hold_on_the_way_over_another_subgraph(system: System) -> None:
    async with new_person(system) as author, new_person(system) as reader:
        post = (await author.client.create_post(CreatePostInput(text="Hello."))).create_post
        await author.client.update_profile(UpdateProfileInput(bio="Sailor"))
        about = PrivacySettingsInput(about=Visibility.CONTACTS)
        await author.client.update_privacy_settings(about)

        before = await _author(system, reader, post.id)
        added = (await author.client.add_contact(reader.id, "Reader")).add_contact
        as_contact = await _author(system, reader, post.id)
        listed = (await author.client.contacts()).contacts.nodes
        await author.client.remove_contact(reader.id)
        after = await _author(system, reader, post.id)

        assert [seen["bio"] for seen in (before, as_contact, after)] == ["", "Sailor", ""]
        assert [(c.user.id, c.nickname) for c in listed] == [(reader.id, added.nickname)]


async def test_who_is_blocked_sees_a_stub_everywhere_until_the_block_ends(system: System) -> None:
    async with new_person(system) as author, new_person(system) as reader:
        post = (await author.client.create_post(CreatePostInput(text="Hello."))).create_post

        blocked = (await author.client.block_user(reader.id)).block_user
        stub = await _author(system, reader, post.id)
        with pytest.raises(GraphQLClientGraphQLMultiError) as refused:
            await reader.client.add_contact(author.id)
        listed = (await author.client.blocked_users()).blocked_users.nodes
        await author.client.unblock_user(reader.id)
        seen = await _author(system, reader, post.id)

        assert blocked.is_blocked_by_me
        assert stub == {"handle": "unavailable", "displayName": "", "bio": ""}
        (error,) = refused.value.errors
        assert error.extensions is not None
        assert error.extensions["code"] == "USER_BLOCKED"
        assert [user.id for user in listed] == [reader.id]
        assert seen["handle"] == author.handle


async def _author(system: System, reader: Person, post_id: str) -> dict[str, str]:
    answer = await ask(system, AUTHOR, {"id": post_id}, reader.token)
    assert "errors" not in answer, answer["errors"]
    author: dict[str, str] = answer["data"]["post"]["author"]
    return author
