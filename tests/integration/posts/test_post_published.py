from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.asyncio.client import connect as connect_socket
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from shared.auth import SigningKey, StaticKeys, TokenIssuer, TokenVerifier
from shared.cache import InProcessRedis, RedisClient, connect_redis
from shared.db.connect import connect
from shared.revocations import REVOCATION_STREAM
from shared.sharding import EntityId, ShardConfig
from subgraphs.posts.app import create_app
from subgraphs.posts.events import author_channel
from subgraphs.posts.settings import PostsSettings
from tests.integration.posts.conftest import CREATE
from tests.support.subgraphs import LiveClient, SubgraphClient, Tokens, new_id, served
from tests.support.waiting import until

ADA, BOB = new_id(7), new_id(200)

PUBLISHED = """
subscription ($author: ID!) {
  postPublished(authorId: $author) { id text author { id } replyTo { text } }
}
"""


@pytest.fixture(params=["in-process", pytest.param("server", marks=pytest.mark.redis)])
def server_url(request: pytest.FixtureRequest) -> str | None:
    """None, and the URL of a real server, in turn."""
    if request.param == "in-process":
        return None
    url: str = request.getfixturevalue("redis_url")
    return url


@pytest.fixture
async def redis(server_url: str | None) -> AsyncIterator[RedisClient]:
    """A Redis client, of the emulation and of a real server in turn."""
    client = InProcessRedis().client() if server_url is None else connect_redis(server_url)
    yield client
    await client.aclose()


@pytest.fixture
async def address(
    settings: PostsSettings, tokens: Tokens, redis: RedisClient
) -> AsyncIterator[str]:
    """The subgraph behind a real server."""
    async with served(create_app(settings, redis=redis, verifier=tokens.verifier())) as where:
        yield where


@pytest.fixture
async def publish(address: str, tokens: Tokens) -> AsyncIterator[Callable[..., Any]]:
    """Publishes posts over HTTP; returns the ID."""
    client = SubgraphClient(f"http://{address}")

    async def send(author: EntityId, text: str, **more: Any) -> str:
        answer = await client(CREATE, {"input": {"text": text} | more}, token=tokens.of(author))
        created: str = answer.ok()["createPost"]["id"]
        return created

    yield send
    await client.close()


async def _listening(redis: RedisClient, author: EntityId) -> None:
    """Wait until a subscription has reached Redis: a client is told nothing of it."""

    async def reached() -> bool:
        return bool((await redis.pubsub_numsub(author_channel(author)))[0][1])

    await until(reached)


async def _silent(redis: RedisClient, author: EntityId) -> None:
    """Wait until nobody listens to an author any more."""

    async def left() -> bool:
        return not (await redis.pubsub_numsub(author_channel(author)))[0][1]

    await until(left)


async def test_posts_of_the_author_arrive_in_order(
    address: str, publish: Any, tokens: Tokens, redis: RedisClient
) -> None:
    async with LiveClient.connected(address, token=tokens.of(BOB)) as client:
        await client.subscribe(PUBLISHED, {"author": str(ADA)})
        await _listening(redis, ADA)

        await publish(BOB, "somebody else's")
        ids = [await publish(ADA, f"Post {number}") for number in range(20)]
        events = [(await client.next())["postPublished"] for _ in ids]

    assert [event["id"] for event in events] == ids
    assert {event["author"]["id"] for event in events} == {str(ADA)}


async def test_nothing_is_lost_between_subscribing_and_publishing(
    address: str, publish: Any, tokens: Tokens, redis: RedisClient
) -> None:
    async with LiveClient.connected(address, token=tokens.of(BOB)) as client:
        for number in range(10):
            author = new_id(number)
            await client.subscribe(PUBLISHED, {"author": str(author)}, name=str(number))
            await _listening(redis, author)
            await publish(author, f"Post {number}")
            assert (await client.next())["postPublished"]["text"] == f"Post {number}"


async def test_a_viewer_gets_only_what_they_may_see(
    address: str, publish: Any, tokens: Tokens, redis: RedisClient
) -> None:
    async with (
        LiveClient.connected(address, token=tokens.of(ADA)) as own,
        LiveClient.connected(address, token=tokens.of(BOB)) as others,
    ):
        for client in (own, others):
            await client.subscribe(PUBLISHED, {"author": str(ADA)})
        await _listening(redis, ADA)
        # the hub subscribes once for both: an answered query says that both are in
        for client in (own, others):
            await client.subscribe("{ __typename }", name="q")
            assert (await client.receive())["id"] == "q"
            assert (await client.receive())["type"] == "complete"

        await publish(ADA, "hidden", visibility="FOLLOWERS")
        await publish(ADA, "public")

        assert (await own.next())["postPublished"]["text"] == "hidden"
        assert (await own.next())["postPublished"]["text"] == "public"
        assert (await others.next())["postPublished"]["text"] == "public"


async def test_an_event_that_is_delivered_twice_is_seen_once(
    address: str,
    publish: Any,
    tokens: Tokens,
    redis: RedisClient,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    async with LiveClient.connected(address, token=tokens.of(BOB)) as client:
        await client.subscribe(PUBLISHED, {"author": str(ADA)})
        await _listening(redis, ADA)
        first = await publish(ADA, "once")
        assert (await client.next())["postPublished"]["id"] == first

        connection = await connect(posts_shards[0].primary, application_name="test")

        async def marked() -> bool:  # which happens after the delivery
            count: int = await connection.fetchval(
                "SELECT count(*) FROM outbox WHERE published_at IS NULL"
            )
            return count == 0

        await until(marked)
        await connection.execute("UPDATE outbox SET published_at = NULL")
        await connection.execute("NOTIFY outbox")
        await connection.close()
        second = await publish(ADA, "twice")

        assert (await client.next())["postPublished"]["id"] == second


async def test_each_event_is_read_anew(
    address: str, publish: Any, tokens: Tokens, redis: RedisClient
) -> None:
    quoted = await publish(BOB, "before")
    editor = SubgraphClient(f"http://{address}")
    async with LiveClient.connected(address, token=tokens.of(ADA)) as client:
        await client.subscribe(PUBLISHED, {"author": str(ADA)})
        await _listening(redis, ADA)
        await publish(ADA, "1", replyToId=quoted)
        first = await client.next()
        change = 'mutation ($id: ID!) { updatePost(id: $id, text: "after") { id } }'
        (await editor(change, {"id": quoted}, token=tokens.of(BOB))).ok()
        await publish(ADA, "2", replyToId=quoted)
        second = await client.next()
    await editor.close()

    assert first["postPublished"]["replyTo"] == {"text": "before"}
    assert second["postPublished"]["replyTo"] == {"text": "after"}


async def test_completing_and_leaving_unsubscribe_from_redis(
    address: str, tokens: Tokens, redis: RedisClient
) -> None:
    async with LiveClient.connected(address, token=tokens.of(BOB)) as client:
        await client.subscribe(PUBLISHED, {"author": str(ADA)}, name="a")
        await client.subscribe(PUBLISHED, {"author": str(BOB)}, name="b")
        await _listening(redis, ADA)
        await _listening(redis, BOB)
        await client.send({"id": "a", "type": "complete"})
        await _silent(redis, ADA)
        await _listening(redis, BOB)
    await _silent(redis, BOB)


@pytest.mark.parametrize(
    ("author", "token", "code"),
    [
        ("ada", None, "UNAUTHENTICATED"),
        ("ada", "garbage", "TOKEN_INVALID"),
        ("nonsense", "good", "BAD_USER_INPUT"),
    ],
)
async def test_a_subscription_that_cannot_begin_says_why(
    address: str, tokens: Tokens, author: str, token: str | None, code: str
) -> None:
    sent = tokens.of(BOB) if token == "good" else token
    async with LiveClient.connected(address, token=sent) as client:
        await client.subscribe(PUBLISHED, {"author": str(ADA) if author == "ada" else author})
        message = await client.receive()

    assert (message["type"], message["id"]) == ("error", "1")
    assert [error["extensions"]["code"] for error in message["payload"]] == [code]


async def test_a_subscription_ends_when_its_token_does(
    settings: PostsSettings, redis: RedisClient
) -> None:
    issuer = TokenIssuer(
        SigningKey.generate(),
        issuer="test",
        audience="socialnet",
        ttl=timedelta(minutes=15),
        clock=lambda: datetime.now(UTC) - timedelta(minutes=15, seconds=-2),
    )
    verifier = TokenVerifier(StaticKeys(issuer.public_keys), issuer="test", audience="socialnet")
    async with served(create_app(settings, redis=redis, verifier=verifier)) as where:
        token = issuer.issue(user_id=BOB).text
        async with LiveClient.connected(where, token=token) as client:
            await client.subscribe(PUBLISHED, {"author": str(ADA)})
            await _listening(redis, ADA)
            message = await client.receive()
            end = await client.receive()
            await client.subscribe(PUBLISHED, {"author": str(ADA)}, name="2")
            again = await client.receive()

    assert message["type"] == "next"
    assert message["payload"]["data"] is None
    assert message["payload"]["errors"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
    assert end == {"id": "1", "type": "complete"}
    assert again["payload"][0]["extensions"]["code"] == "TOKEN_EXPIRED"
    await _silent(redis, ADA)


@pytest.mark.redis
async def test_a_lost_connection_to_redis_ends_subscriptions_aloud(
    settings: PostsSettings, tokens: Tokens, redis_url: str
) -> None:
    redis = connect_redis(redis_url)
    async with (
        served(create_app(settings, redis=redis, verifier=tokens.verifier())) as where,
        LiveClient.connected(where, token=tokens.of(BOB)) as client,
    ):
        await client.subscribe(PUBLISHED, {"author": str(ADA)})
        await _listening(redis, ADA)
        await redis.client_kill_filter(_type="pubsub")
        message = await client.receive()
        end = await client.receive()
        # and a new subscription works, as soon as Redis is reached again
        await client.subscribe(PUBLISHED, {"author": str(BOB)}, name="2")
        await _listening(redis, BOB)
    await redis.aclose()

    (error,) = message["payload"]["errors"]
    assert error["extensions"] == {"code": "INTERNAL_SERVER_ERROR", "retryable": True}
    assert end == {"id": "1", "type": "complete"}


@pytest.mark.parametrize("message", ["[]", "1", "null", '"x"', "{}", "nonsense", '{"type": 1}'])
async def test_what_is_not_a_message_closes_the_connection(address: str, message: str) -> None:
    protocol = Subprotocol("graphql-transport-ws")
    async with connect_socket(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:
        await socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            await socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


@pytest.mark.parametrize(
    "payload", [None, 1, {}, {"query": 1}, {"query": "{ a }", "variables": []}]
)
async def test_a_malformed_subscribe_closes_the_connection(address: str, payload: object) -> None:
    async with LiveClient.connected(address) as client:
        await client.send({"id": "1", "type": "subscribe", "payload": payload})
        with pytest.raises(ConnectionClosed) as closed:
            await client.socket.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4400


async def test_only_graphql_transport_ws_is_spoken(address: str) -> None:
    protocol = Subprotocol("graphql-ws")
    with contextlib.suppress(ConnectionClosed):
        async with connect_socket(f"ws://{address}/graphql", subprotocols=[protocol]) as socket:
            assert socket.subprotocol is None
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4406


async def test_after_a_logout_no_event_reaches_the_subscription(
    address: str,
    tokens: Tokens,
    redis: RedisClient,
    publish: Callable[..., Any],
) -> None:
    session = new_id(7)
    token = tokens.issuer.issue(user_id=ADA, session_id=session).text
    client = SubgraphClient(f"http://{address}")
    async with LiveClient.connected(address, token=token) as live:
        await live.subscribe(PUBLISHED, {"author": str(BOB)})
        await _listening(redis, BOB)
        await redis.xadd(REVOCATION_STREAM, {"sid": str(session)})

        async def refused() -> bool:
            answer = await client('{ post(id: "x") { id } }', token=token)
            return answer.codes == ["TOKEN_INVALID"]

        await until(refused)
        await publish(BOB, "Not for Ada.")
        message = await live.receive()
    await client.close()

    assert message["payload"]["data"] is None
    assert message["payload"]["errors"][0]["extensions"]["code"] == "TOKEN_INVALID"
