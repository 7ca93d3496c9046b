"""Sign in, publish a post, and read one's newest posts, with the typed client.

    python examples/timeline.py --text "Good morning from the terminal"

Needs a running system (`make dev`) and signs in as one of its demo users unless told otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from socialnet.client import (
    CreatePostInput,
    GraphQLClientGraphQLMultiError,
    LoginInput,
    SocialnetClient,
)


async def publish_and_read(options: argparse.Namespace) -> None:
    """Publish the post and print the five newest ones of the same author."""
    async with SocialnetClient(options.url) as stranger:
        credentials = LoginInput(email=options.email, password=options.password)
        session = (await stranger.login(credentials)).login
    headers = {"Authorization": f"Bearer {session.access_token}"}
    async with SocialnetClient(options.url, headers=headers) as client:
        published = (await client.create_post(CreatePostInput(text=options.text))).create_post
        print(f"@{published.author.handle} published {published.id}")

        author = (await client.get_user_posts(session.user.id, first=5)).user
        assert author is not None  # we have just signed in as this user
        print(f"{author.display_name} has written {author.post_count} posts, at last:")
        for post in author.posts.nodes:
            print(f"  {post.created_at:%d %b %H:%M}  {post.text}")


def main() -> None:
    """Read the options, run, and say in one line what was refused."""
    parser = argparse.ArgumentParser(description="Publish a post and read one's newest ones.")
    parser.add_argument("--url", default="http://localhost:4000/graphql")
    parser.add_argument("--email", default="ada@example.com")
    parser.add_argument("--password", default="welcome-to-socialnet")
    parser.add_argument("--text", default="Good morning from the #terminal.")
    try:
        asyncio.run(publish_and_read(parser.parse_args()))
    except GraphQLClientGraphQLMultiError as refusal:
        sys.exit(f"Refused: {refusal}")


if __name__ == "__main__":
    main()
