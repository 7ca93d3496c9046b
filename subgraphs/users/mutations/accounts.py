"""Getting an account, and signing in."""

import strawberry

from shared.graphql import documented_mutation
from subgraphs.users.context import UsersInfo
from subgraphs.users.inputs import LoginInput, RegisterInput
from subgraphs.users.service import SignedIn
from subgraphs.users.types import AuthPayload

__all__ = ["AccountMutations"]


@strawberry.type
class AccountMutations:
    """A part of ``Mutation``."""

    @documented_mutation
    async def register(self, info: UsersInfo, input: RegisterInput) -> AuthPayload:
        """Make an account and sign in. Public."""
        context = info.context
        entered = input.to_registration()
        return _payload(info, await context.services.accounts.register(entered, context.client))

    @documented_mutation
    async def login(self, info: UsersInfo, input: LoginInput) -> AuthPayload:
        """Sign in with e-mail and password. Public."""
        context = info.context
        entered = input.to_login()
        return _payload(info, await context.services.accounts.login(entered, context.client))


def _payload(info: UsersInfo, signed_in: SignedIn) -> AuthPayload:
    return AuthPayload.of(signed_in, expires_in=info.context.services.sessions.token_seconds)
