"""Ended sessions: their tokens open nothing more, and what is open with them ends."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from socialnet.client import CreatePostInput, LoginInput
from socialnet.client.exceptions import GraphQLClientGraphQLMultiError
from tests.e2e.conftest import System
from tests.e2e.people import Person, new_person, stranger
from tests.support.subgraphs import LiveClient
from tests.support.waiting import until

LIVE = "subscription ($id: ID!) { postPublished(authorId: $id) { id text } }"


async def _listening(
    stack: AsyncExitStack, system: System, person: Person, token: str
) -> LiveClient:
    """A client that is subscribed to the person's posts: an answered query says so."""
    address = system.base_url.removeprefix("http://")
    live = await stack.enter_async_context(LiveClient.connected(address, token=token))
    await live.subscribe(LIVE, {"id": person.id}, name="posts")
    await live.subscribe("{ me { id } }", name="ready")
    assert (await live.receive())["payload"]["data"]["me"]
    assert await live.receive() == {"id": "ready", "type": "complete"}
    return live


async def _code_of_close(live: LiveClient) -> tuple[int, str]:
    """How the server closes the connection; operations may end before."""
    async with asyncio.timeout(10):
        await live.socket.wait_closed()
    return live.socket.close_code or 0, live.socket.close_reason or ""


async def _refused(system: System, token: str) -> bool:
    async with stranger(system, token) as client:
        try:
            await client.me()
        except GraphQLClientGraphQLMultiError as error:
            codes = [one.extensions["code"] for one in error.errors if one.extensions]
            assert codes == ["TOKEN_INVALID"]
            return True
    return False


async def _login(system: System, person: Person) -> str:
    async with stranger(system) as nobody:
        entered = LoginInput(email=f"{person.handle}@example.com", password="a quiet harbour town")
        return (await nobody.login(entered)).login.access_token


async def test_logging_out_ends_what_is_open_and_the_token_opens_nothing_more(
    system: System,
) -> None:
    async with new_person(system) as ada, AsyncExitStack() as stack:
        elsewhere = await _login(system, ada)
        live = await _listening(stack, system, ada, ada.token)
        other = await _listening(stack, system, ada, elsewhere)

        assert (await ada.client.logout()).logout

        code, reason = await _code_of_close(live)
        assert (code, "revoked" in reason.lower()) == (4403, True)

        async def refused() -> bool:
            return await _refused(system, ada.token)

        await until(refused)
        event = asyncio.ensure_future(other.next())
        async with stranger(system, elsewhere) as client:
            while not event.done():  # what is published before the subscription stands may be lost
                await client.create_post(CreatePostInput(text="Still here."))
                await asyncio.wait({event}, timeout=0.2)
        assert event.result()["postPublished"]["text"] == "Still here."


async def test_logging_out_everywhere_ends_everything(system: System) -> None:
    async with new_person(system) as ada, AsyncExitStack() as stack:
        tokens = [ada.token, await _login(system, ada), await _login(system, ada)]
        lives = [await _listening(stack, system, ada, token) for token in tokens]

        assert (await ada.client.logout_everywhere()).logout_everywhere == 3

        codes = await asyncio.gather(*map(_code_of_close, lives))
        assert {code for code, _ in codes} == {4403}


async def test_a_stale_token_does_not_hinder_refreshing(system: System) -> None:
    async with new_person(system) as ada:
        async with stranger(system) as nobody:
            entered = LoginInput(email=f"{ada.handle}@example.com", password="a quiet harbour town")
            payload = (await nobody.login(entered)).login
        await ada.client.logout()

        async def refused() -> bool:
            return await _refused(system, ada.token)

        await until(refused)
        refreshed = await ada.client.refresh_session(payload.refresh_token)

        assert refreshed.refresh_session.refresh_token != payload.refresh_token
        async with stranger(system, refreshed.refresh_session.access_token) as client:
            (session,) = (await client.get_sessions()).sessions
        assert session.is_current
        assert session.ip == "127.0.0.1"
        assert session.user_agent is not None
        assert session.user_agent.startswith("python-httpx")
