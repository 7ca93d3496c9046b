from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from shared.db.connect import connect
from shared.sharding import EntityId, ShardConfig
from socialnet.embedded.postgres import PostgresCluster
from tests.integration.posts.conftest import CREATE, CreatePost
from tests.support.subgraphs import SubgraphClient, Tokens, new_id

POSTS = "query ($ids: [ID!]!) { posts(ids: $ids) { id text author { id } } }"
ENTITIES = """
query ($representations: [_Any!]!) {
  _entities(representations: $representations) {
    ... on Post { id text }
    ... on User { id postCount posts(first: 2) { nodes { id } pageInfo { hasNextPage } } }
  }
}
"""
UPDATE = """
mutation ($id: ID!, $text: String!) { updatePost(id: $id, text: $text) { text tags editedAt } }
"""
DELETE = "mutation ($id: ID!) { deletePost(id: $id) }"

ADA, BOB = new_id(7), new_id(200)


async def _rows(shards: tuple[ShardConfig, ...], query: str) -> list[Any]:
    found: list[Any] = []
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        try:
            found += await connection.fetch(query)
        finally:
            await connection.close()
    return found


async def _author(posts: SubgraphClient, author: EntityId, token: str, fields: str) -> Any:
    query = f"""
    query ($representations: [_Any!]!) {{
      _entities(representations: $representations) {{ ... on User {{ {fields} }} }}
    }}
    """
    representations = [{"__typename": "User", "id": str(author)}]
    answer = await posts(query, {"representations": representations}, token=token)
    return answer.ok()["_entities"][0]


async def test_a_post_lives_on_its_authors_slot(create_post: CreatePost) -> None:
    post = await create_post(BOB, "  Hello #World, we are #1 #world #Über_uns  ")

    assert EntityId.parse(post["id"]).slot == BOB.slot
    assert post["author"] == {"id": str(BOB)}
    assert post["text"] == "Hello #World, we are #1 #world #Über_uns"
    assert post["tags"] == ["world", "über_uns"]
    assert (post["visibility"], post["editedAt"]) == ("PUBLIC", None)


async def test_a_hundred_posts_on_two_shards_cost_two_statements(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    created = await asyncio.gather(
        *(create_post(new_id(number * 5 + number // 52), f"Post {number}") for number in range(100))
    )
    ids = [post["id"] for post in reversed(created)]

    answer = await posts(POSTS, {"ids": ids}, token=tokens.of(ADA))

    assert [post["id"] for post in answer.ok()["posts"]] == ids
    assert answer.statements == {"shard-0": 1, "shard-1": 1}


async def test_pages_and_counts_of_a_hundred_authors_cost_one_statement_each_per_shard(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    authors = [new_id(number * 5) for number in range(100)]
    for author in authors[:10]:
        await asyncio.gather(*(create_post(author) for _ in range(3)))
    representations = [{"__typename": "User", "id": str(author)} for author in authors]

    answer = await posts(ENTITIES, {"representations": representations}, token=tokens.of(ADA))

    entities = answer.ok()["_entities"]
    assert [entity["postCount"] for entity in entities] == [3] * 10 + [0] * 90
    assert [len(entity["posts"]["nodes"]) for entity in entities] == [2] * 10 + [0] * 90
    assert entities[0]["posts"]["pageInfo"]["hasNextPage"] is True
    assert answer.statements == {"shard-0": 2, "shard-1": 2}


async def test_with_one_shard_down_only_its_posts_are_missing(
    posts: SubgraphClient,
    create_post: CreatePost,
    tokens: Tokens,
    clusters: Sequence[PostgresCluster],
) -> None:
    ids = [(await create_post(author))["id"] for author in (ADA, BOB, ADA, BOB)]

    await clusters[0].stop("immediate")
    try:
        answer = await posts(POSTS, {"ids": ids}, token=tokens.of(BOB))
    finally:
        await clusters[0].start()
    recovered = await posts(POSTS, {"ids": ids}, token=tokens.of(BOB))

    assert [post and post["id"] for post in answer.data["posts"]] == [None, ids[1], None, ids[3]]
    assert answer.codes == ["SHARD_UNAVAILABLE"] * 2
    assert sorted(error["path"] for error in answer.errors) == [["posts", 0], ["posts", 2]]
    assert [post["id"] for post in recovered.ok()["posts"]] == ids


@pytest.mark.parametrize("visibility", ["FOLLOWERS", "CONTACTS"])
async def test_a_post_that_is_not_public_is_the_authors_alone_on_every_path(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens, visibility: str
) -> None:
    hidden = await create_post(ADA, "hidden", visibility=visibility)
    public = await create_post(ADA, "public", quoteOfId=hidden["id"])
    query = """
    query ($id: ID!, $public: ID!, $representations: [_Any!]!) {
      post(id: $id) { text }
      posts(ids: [$id]) { text }
      quoting: post(id: $public) { quoteOf { text } }
      _entities(representations: $representations) {
        ... on Post { text }
        ... on User { posts { nodes { text } } }
      }
    }
    """
    variables = {
        "id": hidden["id"],
        "public": public["id"],
        "representations": [
            {"__typename": "Post", "id": hidden["id"]},
            {"__typename": "User", "id": str(ADA)},
        ],
    }

    own = (await posts(query, variables, token=tokens.of(ADA))).ok()
    others = (await posts(query, variables, token=tokens.of(BOB))).ok()

    text = {"text": "hidden"}
    assert own == {
        "post": text,
        "posts": [text],
        "quoting": {"quoteOf": text},
        "_entities": [text, {"posts": {"nodes": [{"text": "public"}, text]}}],
    }
    assert others == {
        "post": None,
        "posts": [None],
        "quoting": {"quoteOf": None},
        "_entities": [None, {"posts": {"nodes": [{"text": "public"}]}}],
    }


async def test_what_one_may_not_see_cannot_be_answered_quoted_changed_or_deleted(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    hidden = await create_post(ADA, "hidden", visibility="CONTACTS")
    bob = tokens.of(BOB)

    reply = await posts(CREATE, {"input": {"text": "x", "replyToId": hidden["id"]}}, token=bob)
    quote = await posts(CREATE, {"input": {"text": "x", "quoteOfId": hidden["id"]}}, token=bob)
    update = await posts(UPDATE, {"id": hidden["id"], "text": "mine"}, token=bob)
    delete = await posts(DELETE, {"id": hidden["id"]}, token=bob)

    assert [answer.codes for answer in (reply, quote, update, delete)] == [["NOT_FOUND"]] * 4
    assert reply.errors[0]["extensions"]["field"] == "replyToId"
    assert quote.errors[0]["extensions"]["field"] == "quoteOfId"


async def test_replies_and_quotes_lead_over_shards(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    first = await create_post(ADA, "first")

    answer = await create_post(BOB, "second", replyToId=first["id"], quoteOfId=first["id"])

    assert answer["replyTo"] == answer["quoteOf"] == {"id": first["id"]}


async def test_pages_lead_forwards_and_backwards_through_all_posts(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    newest_first = [(await create_post(ADA, f"Post {n}"))["id"] for n in range(7)][::-1]
    token = tokens.of(BOB)
    fields = "nodes { id } edges { cursor } "
    fields += "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"

    forward: list[list[str]] = []
    after = "null"
    while True:
        page = await _author(posts, ADA, token, f"posts(first: 3, after: {after}) {{ {fields} }}")
        page = page["posts"]
        forward.append([node["id"] for node in page["nodes"]])
        assert page["pageInfo"]["hasPreviousPage"] is (after != "null")
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = f'"{page["pageInfo"]["endCursor"]}"'
        await create_post(ADA, "inserted meanwhile")
    assert forward == [newest_first[:3], newest_first[3:6], newest_first[6:]]

    last = (await _author(posts, ADA, token, f"posts(last: 2) {{ {fields} }}"))["posts"]
    assert [node["id"] for node in last["nodes"]] == newest_first[5:]
    assert last["pageInfo"]["hasPreviousPage"] is True
    before = last["pageInfo"]["startCursor"]
    earlier = await _author(posts, ADA, token, f'posts(last: 2, before: "{before}") {{ {fields} }}')
    assert [node["id"] for node in earlier["posts"]["nodes"]] == newest_first[3:5]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ("first: 101", "first"),
        ("first: 1, last: 1", "last"),
        ('after: "x"', "after"),
        ('last: 1, before: "WyJ4IixbXV0"', "before"),
    ],
)
async def test_bad_pages_are_refused(
    posts: SubgraphClient, tokens: Tokens, arguments: str, field: str
) -> None:
    query = f"""
    query ($representations: [_Any!]!) {{
      _entities(representations: $representations) {{
        ... on User {{ posts({arguments}) {{ nodes {{ id }} }} }}
      }}
    }}
    """
    representations = [{"__typename": "User", "id": str(ADA)}]

    answer = await posts(query, {"representations": representations}, token=tokens.of(ADA))

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    assert answer.extensions["sql"]["statements"] == 0


async def test_a_repeated_request_gives_the_same_post(
    posts: SubgraphClient,
    create_post: CreatePost,
    tokens: Tokens,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    request = str(uuid4())

    created = await asyncio.gather(
        *(create_post(ADA, f"Attempt {n}", clientRequestId=request) for n in range(12))
    )
    later = await create_post(ADA, "Another text", clientRequestId=request.upper())
    others = await create_post(BOB, "Bob's", clientRequestId=request)

    assert len({post["id"] for post in created} | {later["id"]}) == 1
    assert len({post["text"] for post in created} | {later["text"]}) == 1
    assert others["id"] != later["id"]
    assert (await _author(posts, ADA, tokens.of(ADA), "postCount"))["postCount"] == 1
    assert len(await _rows(posts_shards, "SELECT 1 FROM outbox")) == 2


async def test_a_repeated_request_of_a_deleted_post_makes_no_new_one(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    request = str(uuid4())
    post = await create_post(ADA, clientRequestId=request)
    (await posts(DELETE, {"id": post["id"]}, token=tokens.of(ADA))).ok()

    again = await posts(
        CREATE, {"input": {"text": "x", "clientRequestId": request}}, token=tokens.of(ADA)
    )

    assert again.codes == ["NOT_FOUND"]
    assert (await _author(posts, ADA, tokens.of(ADA), "postCount"))["postCount"] == 0


async def test_editing_keeps_the_time_and_finds_tags_anew(
    posts: SubgraphClient, create_post: CreatePost, tokens: Tokens
) -> None:
    post = await create_post(ADA, "Old #tag")

    edited = await posts(UPDATE, {"id": post["id"], "text": "New #word"}, token=tokens.of(ADA))
    same = await posts(UPDATE, {"id": post["id"], "text": " New #word "}, token=tokens.of(ADA))
    others = await posts(UPDATE, {"id": post["id"], "text": "Mine"}, token=tokens.of(BOB))

    changed = edited.ok()["updatePost"]
    assert (changed["text"], changed["tags"]) == ("New #word", ["word"])
    assert changed["editedAt"] > post["createdAt"]
    assert same.ok()["updatePost"]["editedAt"] == changed["editedAt"]
    assert others.codes == ["FORBIDDEN"]


async def test_a_deleted_post_is_gone_everywhere_and_leaves_no_text(
    posts: SubgraphClient,
    create_post: CreatePost,
    tokens: Tokens,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    post = await create_post(ADA, "secret #tag")
    reply = await create_post(BOB, "a reply", replyToId=post["id"])
    token = tokens.of(ADA)

    others = await posts(DELETE, {"id": post["id"]}, token=tokens.of(BOB))
    deleted = await posts(DELETE, {"id": post["id"]}, token=token)
    again = await posts(DELETE, {"id": post["id"]}, token=token)
    update = await posts(UPDATE, {"id": post["id"], "text": "x"}, token=token)

    assert others.codes == ["FORBIDDEN"]
    assert deleted.ok() == {"deletePost": True}
    assert (again.codes, update.codes) == (["NOT_FOUND"], ["NOT_FOUND"])
    query = """
    query ($id: ID!, $reply: ID!) {
      post(id: $id) { id }
      reply: post(id: $reply) { replyTo { id } }
    }
    """
    found = await posts(query, {"id": post["id"], "reply": reply["id"]}, token=token)
    assert found.ok() == {"post": None, "reply": {"replyTo": None}}
    fields = "postCount posts { nodes { id } }"
    assert await _author(posts, ADA, token, fields) == {"postCount": 0, "posts": {"nodes": []}}
    rows = await _rows(posts_shards, "SELECT text, tags FROM posts WHERE deleted_at IS NOT NULL")
    assert [tuple(row) for row in rows] == [("", [])]


async def test_a_moderator_may_delete_anybodys_post(
    posts: SubgraphClient,
    create_post: CreatePost,
    tokens: Tokens,
    posts_shards: tuple[ShardConfig, ...],
) -> None:
    first = await create_post(ADA, visibility="CONTACTS")
    second = await create_post(ADA)

    by_user = await posts(DELETE, {"id": first["id"]}, token=tokens.of(BOB, "posts:moderate"))
    by_machine = await posts(DELETE, {"id": second["id"]}, token=tokens.of(None, "posts:moderate"))

    assert by_user.ok() == by_machine.ok() == {"deletePost": True}
    actors = await _rows(
        posts_shards, "SELECT actor FROM outbox WHERE type = 'post.deleted' ORDER BY recorded_at"
    )
    assert [row["actor"] for row in actors] == [str(BOB), None]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("text", ""),
        ("text", " \n "),
        ("text", "x" * 5001),
        ("text", "a\x00b"),
        ("replyToId", "1-x"),
        ("quoteOfId", ""),
        ("clientRequestId", "{12345678-1234-1234-1234-123456789012}"),
    ],
)
async def test_bad_input_is_refused_by_field_without_a_statement(
    posts: SubgraphClient, tokens: Tokens, field: str, value: str
) -> None:
    answer = await posts(CREATE, {"input": {"text": "fine", field: value}}, token=tokens.of(ADA))

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    assert answer.extensions["sql"]["statements"] == 0


async def test_five_thousand_characters_of_any_kind_fit(create_post: CreatePost) -> None:
    text = "🙂" * 4999 + "x"

    assert (await create_post(ADA, text))["text"] == text


async def test_unknown_ids_are_null_on_queries_and_not_found_on_mutations(
    posts: SubgraphClient, tokens: Tokens
) -> None:
    nothing, token = str(new_id(9)), tokens.of(ADA)

    query = await posts("query ($id: ID!) { post(id: $id) { id } }", {"id": nothing}, token=token)
    delete = await posts(DELETE, {"id": nothing}, token=token)

    assert query.ok() == {"post": None}
    assert delete.codes == ["NOT_FOUND"]


@pytest.mark.parametrize(
    "query",
    [
        '{ post(id: "x") { id } }',
        '{ posts(ids: ["x"]) { id } }',
        'mutation { createPost(input: {text: "x"}) { id } }',
        'mutation { updatePost(id: "x", text: "x") { id } }',
        'mutation { deletePost(id: "x") }',
        '{ _entities(representations: [{__typename: "User", id: "x"}]) { ... on User { id } } }',
        '{ _entities(representations: [{__typename: "Post", id: "x"}]) { ... on Post { id } } }',
    ],
)
async def test_everything_needs_a_token(posts: SubgraphClient, query: str) -> None:
    answer = await posts(query)

    assert answer.codes == ["UNAUTHENTICATED"]
    assert answer.extensions["sql"]["statements"] == 0


async def test_a_machine_cannot_publish(posts: SubgraphClient, tokens: Tokens) -> None:
    answer = await posts(CREATE, {"input": {"text": "beep"}}, token=tokens.of(None, "ops:read"))

    assert answer.codes == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    "representation",
    [
        {"__typename": "User"},
        {"__typename": "Nothing", "id": "x"},
        {},
        1,
        {"__typename": 5},
        {"__typename": "PageInfo", "id": "x"},
    ],
)
async def test_a_bad_representation_fails_alone(
    posts: SubgraphClient, tokens: Tokens, representation: object
) -> None:
    good = {"__typename": "User", "id": str(ADA), "unknownKey": 1}

    answer = await posts(
        "query ($r: [_Any!]!) { _entities(representations: $r) { ... on User { id } } }",
        {"r": [good, representation]},
        token=tokens.of(ADA),
    )

    assert answer.data == {"_entities": [{"id": str(ADA)}, None]}
    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["path"] == ["_entities", 1]
