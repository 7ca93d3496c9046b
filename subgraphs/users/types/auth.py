"""What signing in answers."""

from typing import Self

import strawberry

from subgraphs.users.service import IssuedCode, SignedIn
from subgraphs.users.types.user import User

__all__ = ["AuthPayload", "OtpPayload"]


@strawberry.type(description="A signed-in user, and the tokens of the new session.")
class AuthPayload:
    """The answer to signing in."""

    user: User = strawberry.field(
        description="Their own profile. Ask for what needs a signed-in caller (lists, other"
        " domains) in the next request: this one has no token yet, and such a field's null would"
        " take the tokens along."
    )
    access_token: str = strawberry.field(description="For the Authorization header, as Bearer.")
    refresh_token: str = strawberry.field(description="Good for 30 days; shown only here.")
    expires_in: int = strawberry.field(description="Seconds that the access token lives.")

    @classmethod
    def of(cls, signed_in: SignedIn, *, expires_in: int) -> Self:
        """The payload of a sign-in."""
        return cls(
            user=User.of(signed_in.profile),
            access_token=signed_in.access_token.text,
            refresh_token=signed_in.refresh_token,
            expires_in=expires_in,
        )


@strawberry.type(description="A code is on its way to the phone.")
class OtpPayload:
    """The answer to asking for a code; the same whether or not somebody has that number."""

    expires_in: int = strawberry.field(description="Seconds that the code is good.")
    resend_after: int = strawberry.field(description="Seconds until another one may be asked for.")
    dev_code: str | None = strawberry.field(description="The code itself, in development only.")

    @classmethod
    def of(cls, issued: IssuedCode, *, shows_code: bool) -> Self:
        """The payload of a code that has been sent."""
        return cls(
            expires_in=issued.expires_in,
            resend_after=issued.resend_after,
            dev_code=issued.code if shows_code else None,
        )
