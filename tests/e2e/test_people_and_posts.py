"""What people do, through the router with the typed client, in both modes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import cast
from uuid import uuid4

import pytest

from socialnet.client import (
    CreatePostInput,
    GraphQLClientGraphQLMultiError,
    PostPublished,
    PostVisibility,
    RegisterInput,
    UpdateProfileInput,
)
from tests.e2e.conftest import System
from tests.e2e.people import Person, ask, new_person, signed_in, stranger


async def test_somebody_registers_publishes_edits_and_deletes(system: System) -> None:
    async with new_person(system) as person:
        created = (
            await person.client.create_post(CreatePostInput(text="Good morning, #harbour!"))
        ).create_post
        assert created.author.handle == person.handle
        assert created.tags == ["harbour"]
        assert created.id.split("-")[0] == person.id.split("-")[0]  # at home with its author

        edited = (await person.client.update_post(created.id, "Good evening.")).update_post
        assert (edited.text, edited.tags, edited.edited_at is None) == ("Good evening.", [], False)

        mine = (await person.client.get_user_posts(person.id)).user
        assert mine is not None
        assert (mine.post_count, [node.id for node in mine.posts.nodes]) == (1, [created.id])

        assert (await person.client.delete_post(created.id)).delete_post
        assert (await person.client.get_post(created.id)).post is None
        gone = (await person.client.get_user_posts(person.id)).user
        assert gone is not None
        assert (gone.post_count, gone.posts.nodes) == (0, [])


async def test_the_same_request_twice_makes_one_post(system: System) -> None:
    async with new_person(system) as person:
        draft = CreatePostInput(text="Only once.", client_request_id=str(uuid4()))

        answers = await asyncio.gather(*(person.client.create_post(draft) for _ in range(8)))

        assert len({answer.create_post.id for answer in answers}) == 1
        mine = (await person.client.get_user_posts(person.id)).user
        assert mine is not None
        assert mine.post_count == 1


async def test_others_cannot_change_a_post_nor_see_what_is_not_for_them(system: System) -> None:
    async with new_person(system) as author, new_person(system) as other:
        public = (await author.client.create_post(CreatePostInput(text="For all."))).create_post
        private = (
            await author.client.create_post(
                CreatePostInput(text="For few.", visibility=PostVisibility.FOLLOWERS)
            )
        ).create_post

        for change in (
            other.client.update_post(public.id, "Mine!"),
            other.client.delete_post(public.id),
        ):
            with pytest.raises(GraphQLClientGraphQLMultiError) as refused:
                await change
            (error,) = refused.value.errors
            assert error.extensions is not None
            assert error.extensions["code"] == "FORBIDDEN"
        seen = (await other.client.get_posts([public.id, private.id])).posts
        assert [post.text if post else None for post in seen] == ["For all.", None]


async def test_a_post_arrives_in_a_subscription_with_its_author(system: System) -> None:
    async with new_person(system) as author, new_person(system) as reader:
        events = cast("AsyncGenerator[PostPublished]", reader.client.post_published(author.id))
        first = asyncio.ensure_future(anext(events))
        # What is published before the subscription stands is not promised.
        while not first.done():
            await author.client.create_post(CreatePostInput(text="News."))
            await asyncio.wait({first}, timeout=0.2)

        event = first.result().post_published

        assert (event.text, event.author.handle) == ("News.", author.handle)
        await events.aclose()


async def test_a_changed_handle_is_found_and_the_old_one_is_free(system: System) -> None:
    async with new_person(system) as person, new_person(system) as other:
        new = f"n_{uuid4().hex[:16]}"

        await person.client.update_profile(UpdateProfileInput(handle=new))

        found = (await other.client.get_user_by_handle(new.upper())).user_by_handle
        assert found is not None
        assert found.id == person.id
        assert (await other.client.get_user_by_handle(person.handle)).user_by_handle is None
        taken = await other.client.update_profile(UpdateProfileInput(handle=person.handle))
        assert taken.update_profile.handle == person.handle


async def test_twelve_registrations_of_one_address_make_one_user(system: System) -> None:
    email = f"{uuid4().hex}@example.com"

    async def register(number: int) -> str | None:
        async with stranger(system) as client:
            try:
                payload = await client.register(
                    RegisterInput(
                        email=email if number % 2 else email.upper(),
                        password="a quiet harbour town",
                        handle=f"r_{uuid4().hex[:16]}",
                        display_name="One Of Twelve",
                    )
                )
            except GraphQLClientGraphQLMultiError as error:
                (refusal,) = error.errors
                assert refusal.extensions is not None
                assert (refusal.extensions["code"], refusal.extensions["field"]) == (
                    "CONFLICT",
                    "email",
                )
                return None
            return payload.registration.user.id

    made = [user for user in await asyncio.gather(*map(register, range(12))) if user]

    assert len(made) == 1


async def test_private_fields_are_hidden_on_every_path(system: System) -> None:
    query = """query ($id: ID!, $ids: [ID!]!, $handle: String!, $post: ID!) {
      me { email }
      user(id: $id) { email }
      users(ids: $ids) { email }
      userByHandle(handle: $handle) { email }
      post(id: $post) { author { email } }
    }"""
    async with new_person(system) as person, new_person(system) as other:
        post = (await person.client.create_post(CreatePostInput(text="Hello."))).create_post
        variables = {"id": person.id, "ids": [person.id], "handle": person.handle, "post": post.id}

        own = (await ask(system, query, variables, person.token))["data"]
        foreign = (await ask(system, query, variables, other.token))["data"]

    address = {"email": f"{person.handle}@example.com"}
    hidden = {"email": None}
    assert (own["user"], own["users"], own["userByHandle"]) == (address, [address], address)
    assert own["post"] == {"author": address}
    assert (foreign["user"], foreign["users"], foreign["userByHandle"]) == (
        hidden,
        [hidden],
        hidden,
    )
    assert foreign["post"] == {"author": hidden}
    assert foreign["me"] == {"email": f"{other.handle}@example.com"}


async def test_all_users_is_for_administrators_and_complete_over_shards(system: System) -> None:
    async with signed_in(system) as ada, new_person(system) as person:
        seen = await _all_users(ada)
        assert len(seen) == len(set(seen))
        assert person.id in seen
        assert len({int(user.split("-")[0]) < 128 for user in seen}) == 2

        with pytest.raises(GraphQLClientGraphQLMultiError):
            await person.client.all_users(first=1)


async def _all_users(ada: Person) -> list[str]:
    seen: list[str] = []
    after: str | None = None
    while True:
        page = (await ada.client.all_users(first=100, after=after)).all_users
        seen.extend(node.id for node in page.nodes)
        if not page.page_info.has_next_page:
            return seen
        after = page.page_info.end_cursor
