"""Getting an account, signing in, and leaving."""

import strawberry

from shared.graphql import documented_mutation
from subgraphs.users.context import UsersInfo
from subgraphs.users.inputs import LoginInput, RegisterInput
from subgraphs.users.service import SignedIn
from subgraphs.users.types import AuthPayload, OtpPayload, User

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

    @documented_mutation
    async def request_otp(self, info: UsersInfo, phone: str) -> OtpPayload:
        """Send a code of six digits to a phone (E.164), to sign in with. Public."""
        context = info.context
        issued = await context.services.phones.request(phone, context.client)
        return OtpPayload.of(issued, shows_code=context.diagnostics)

    @documented_mutation
    async def verify_otp(self, info: UsersInfo, phone: str, code: str) -> AuthPayload:
        """Sign in with a code that was sent to a phone; the first time, that makes an account.

        Public. Who is signed in links the phone to their account instead.
        """
        context = info.context
        viewer = context.viewer_if_any
        user_id = None if viewer is None else viewer.require_user()
        signed_in = await context.services.phones.verify(phone, code, user_id, context.client)
        return _payload(info, signed_in)

    @documented_mutation
    async def link_email(self, info: UsersInfo, email: str, password: str) -> User:
        """Give an account that has none an e-mail and a password to sign in with."""
        context = info.context
        profile = await context.services.credentials.link_email(context.viewer, email, password)
        context.forget_loaded()
        return User.of(profile)

    @documented_mutation
    async def change_password(
        self, info: UsersInfo, current_password: str, new_password: str
    ) -> bool:
        """Change one's own password; all other sessions end."""
        context = info.context
        await context.services.credentials.change_password(
            context.viewer, current_password, new_password
        )
        return True

    @documented_mutation
    async def deactivate_account(self, info: UsersInfo) -> bool:
        """Hide one's own account until the next sign-in; all sessions end."""
        context = info.context
        await context.services.lifecycle.deactivate(context.viewer)
        context.forget_loaded()
        return True

    @documented_mutation
    async def delete_account(self, info: UsersInfo, password: str | None = None) -> bool:
        """Delete one's own account; needs the password if there is one. All sessions end.

        What is known of the user is erased after a grace period, in which nobody can take the
        handle or the e-mail.
        """
        context = info.context
        await context.services.lifecycle.delete(context.viewer, password)
        context.forget_loaded()
        return True


def _payload(info: UsersInfo, signed_in: SignedIn) -> AuthPayload:
    return AuthPayload.of(signed_in, expires_in=info.context.services.sessions.token_seconds)
