"""Inputs of getting an account and signing in."""

import strawberry

from shared.graphql import request_uuid
from subgraphs.users.service import Login, Registration

__all__ = ["LoginInput", "RegisterInput"]


@strawberry.input(description="A new account with e-mail and password.")
class RegisterInput:
    """See ``Mutation.register``."""

    email: str
    password: str = strawberry.field(description="8 to 256 characters, and not a common one.")
    handle: str = strawberry.field(description="3 to 30 characters: a-z, 0-9 and _.")
    display_name: str = strawberry.field(description="1 to 50 characters.")
    client_request_id: strawberry.ID | None = strawberry.field(
        default=None, description="A UUID; sending the same one again makes no second account."
    )

    def to_registration(self) -> Registration:
        """The input as the service takes it."""
        return Registration(
            email=self.email,
            password=self.password,
            handle=self.handle,
            display_name=self.display_name,
            client_request_id=request_uuid(self.client_request_id),
        )


@strawberry.input(description="An e-mail address and the password of its account.")
class LoginInput:
    """See ``Mutation.login``."""

    email: str
    password: str

    def to_login(self) -> Login:
        """The input as the service takes it."""
        return Login(email=self.email, password=self.password)
