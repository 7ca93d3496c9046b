"""What the person at the terminal reads when the system is ready, and GraphiQL's first query."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from socialnet.demo.people import DEMO_LOGINS, DEMO_PASSWORD

if TYPE_CHECKING:
    from rich.console import Console

_LOG_IN = f"""\
mutation LogIn {{
  login(input: {{email: "{DEMO_LOGINS[0]}", password: "{DEMO_PASSWORD}"}}) {{
    accessToken
  }}
}}
"""
_ME = """\
query Me {
  me {
    displayName
    followerCount
    followers(first: 3) {
      nodes { handle isFollowedByMe }
    }
    postCount
    posts(first: 3) {
      nodes { id text createdAt author { handle } }
    }
  }
}
"""
FIRST_QUERY = f"""\
# 1. Run "LogIn" and copy the access token from the answer.
# 2. Put it under "Headers":  {{"Authorization": "Bearer <access token>"}}
# 3. Run "Me", which is answered by two subgraphs.

{_LOG_IN}
{_ME}"""
"""What GraphiQL shows at first."""


def print_welcome(console: Console, url: str, *, demo: bool) -> None:
    """Print the address, the demo logins and an example query."""
    console.print(f"\n[bold]socialnet is ready:[/bold] {url}/graphql\n", highlight=False)
    if not demo:
        console.print("There are no users yet: begin with the mutation `register`.\n")
        return
    console.print(f"Demo logins, all with the password [bold]{DEMO_PASSWORD}[/bold]:")
    for email, note in zip(DEMO_LOGINS, (" (may also list allUsers)", "", ""), strict=True):
        console.print(f"  {email}{note}", highlight=False)
    console.print("\nOpen the address in a browser, log in, and try with the token you got:\n")
    console.print(textwrap.indent(f"{_LOG_IN}\n{_ME}", "  "), markup=False, highlight=False)
    console.print("Ctrl-C stops everything; the data stays.\n")
