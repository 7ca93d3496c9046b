"""The subgraphs' SDL is made without I/O and covers what clients rely on."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
from graphql import build_ast_schema, parse
from graphql.type import GraphQLObjectType

CONTRACT = {
    "users": {
        "Query": {"me", "user", "users", "userByHandle", "allUsers", "_entities", "_service"},
        "Mutation": {"register", "login", "updateProfile"} | {"follow", "unfollow"},
        "User": {"id", "handle", "displayName", "bio", "email", "createdAt", "status"}
        | {"followers", "following", "followerCount", "followingCount"}
        | {"isFollowedByMe", "followsMe", "isContact", "isBlockedByMe"},
        "PrivacySettings": {"lastSeen", "profilePhoto", "about", "readReceipts", "updatedAt"},
        "AuthPayload": {"user", "accessToken", "refreshToken", "expiresIn"},
        "UserConnection": {"edges", "nodes", "pageInfo"},
    },
    "posts": {
        "Query": {"post", "posts", "_entities", "_service"},
        "Mutation": {"createPost", "updatePost", "deletePost"},
        "Subscription": {"postPublished"},
        "Post": {"id", "author", "text", "visibility", "tags", "replyTo", "quoteOf", "createdAt"}
        | {"editedAt"},
        "User": {"id", "posts", "postCount"},
        "PostConnection": {"edges", "nodes", "pageInfo"},
    },
}


@pytest.mark.parametrize("domain", CONTRACT)
def test_the_sdl_has_the_fields_of_the_contract(domain: str) -> None:
    sdl = importlib.import_module(f"subgraphs.{domain}.schema").schema_sdl()

    schema = build_ast_schema(parse(sdl), assume_valid_sdl=True)
    for name, fields in CONTRACT[domain].items():
        described = schema.get_type(name)
        assert isinstance(described, GraphQLObjectType)
        assert set(described.fields) >= fields
    assert "https://specs.apollo.dev/federation/v2.11" in sdl
    assert 'type User @key(fields: "id")' in sdl
    assert "type PageInfo @shareable" in sdl


@pytest.mark.parametrize("domain", CONTRACT)
def test_the_sdl_is_the_same_in_every_process(domain: str) -> None:
    code = f"from subgraphs.{domain}.schema import schema_sdl; print(schema_sdl())"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(filter(None, sys.path))},
        ).stdout
        for seed in ("1", "2")
    }

    assert len(texts) == 1
