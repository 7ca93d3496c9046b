"""Follow an author live: prints every post at the moment it is published, over a WebSocket.

    python examples/live_posts.py bruno

Publish as that author meanwhile, in GraphiQL or with `timeline.py --email bruno@example.com`. The
access token goes into the payload of `connection_init`, which is how browsers have to do it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from socialnet.client import GraphQLClientGraphQLMultiError, LoginInput, SocialnetClient


async def follow(options: argparse.Namespace) -> None:
    """Print the author's new posts until there were `--count`."""
    async with SocialnetClient(options.url) as stranger:
        credentials = LoginInput(email=options.email, password=options.password)
        token = (await stranger.login(credentials)).login.access_token
    authorization = {"Authorization": f"Bearer {token}"}
    client = SocialnetClient(
        options.url,
        headers=authorization,
        ws_url=options.url.replace("http", "ws", 1),
        ws_connection_init_payload=authorization,
    )
    async with client:
        author = (await client.get_user_by_handle(options.handle)).user_by_handle
        if author is None:
            sys.exit(f"There is nobody called @{options.handle}.")
        print(f"Waiting for posts of {author.display_name} …", flush=True)
        left = options.count
        async for event in client.post_published(author.id):
            post = event.post_published
            print(f"{post.created_at:%H:%M:%S}  @{post.author.handle}: {post.text}", flush=True)
            left -= 1
            if left == 0:
                break


def main() -> None:
    """Read the options, run until Ctrl-C, and say in one line what was refused."""
    parser = argparse.ArgumentParser(description="Print an author's posts as they are published.")
    parser.add_argument("handle", help="whose posts")
    parser.add_argument("--count", type=int, default=0, help="end after so many; 0: never")
    parser.add_argument("--url", default="http://localhost:4000/graphql")
    parser.add_argument("--email", default="ada@example.com")
    parser.add_argument("--password", default="welcome-to-socialnet")
    try:
        asyncio.run(follow(parser.parse_args()))
    except KeyboardInterrupt:
        pass
    except GraphQLClientGraphQLMultiError as refusal:
        sys.exit(f"Refused: {refusal}")


if __name__ == "__main__":
    main()
