"""Mutations of the users subgraph. Thin: the rules are in the service."""

import strawberry

from shared.graphql import documented_mutation
from subgraphs.users.context import UsersInfo
from subgraphs.users.inputs import LoginInput, RegisterInput, UpdateProfileInput
from subgraphs.users.service import SignedIn
from subgraphs.users.types import AuthPayload, User

__all__ = ["Mutation"]


@strawberry.type
class Mutation:
    """What can be done in the users domain."""

    @documented_mutation
    async def register(self, info: UsersInfo, input: RegisterInput) -> AuthPayload:
        """Make an account and sign in. Public."""
        signed_in = await info.context.services.accounts.register(input.to_registration())
        return _payload(info, signed_in)

    @documented_mutation
    async def login(self, info: UsersInfo, input: LoginInput) -> AuthPayload:
        """Sign in with e-mail and password. Public."""
        return _payload(info, await info.context.services.accounts.login(input.to_login()))

    @documented_mutation
    async def update_profile(self, info: UsersInfo, input: UpdateProfileInput) -> User:
        """Change one's own profile."""
        context = info.context
        profile = await context.services.profiles.update(context.viewer, input.to_change())
        context.forget_loaded()
        return User.of(profile)


def _payload(info: UsersInfo, signed_in: SignedIn) -> AuthPayload:
    return AuthPayload.of(signed_in, expires_in=info.context.services.accounts.token_seconds)
