"""Accounts: registration and sign-in with e-mail and password."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from shared.auth import check_password_rules
from shared.errors import BadUserInputError
from shared.sharding import EntityId, IdentityTakenError, ReservationLostError, slot_for
from shared.sharding.identities import ReservationState
from subgraphs.users.errors import WrongCredentialsError
from subgraphs.users.repository import IdentityKind, UserRecord
from subgraphs.users.service import values
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Client, PasswordHashing
    from shared.limits import RateLimiter
    from shared.sharding import Identities, Reservation, Shards
    from subgraphs.users.repository import Credentials
    from subgraphs.users.service.limits import AccountLimits
    from subgraphs.users.service.sessions import SignedIn
    from subgraphs.users.service.signing_in import SigningIn

__all__ = ["AccountService", "Login", "Registration"]

# with it, the client's request id and the e-mail, a repeated registration is the same claim
_CLAIMS = UUID("0e4b2b62-93f1-4f5e-8f3a-6d3f0a1c7b52")
_LOGIN_ATTEMPTS = 3  # races with changes of the password, its rehashing among them


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a new user enters. The same ``client_request_id`` again is the same registration."""

    email: str
    password: str
    handle: str
    display_name: str
    client_request_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a returning user enters."""

    email: str
    password: str


class AccountService:
    """Registers users and signs them in."""

    def __init__(
        self,
        shards: Shards,
        identities: Identities,
        passwords: PasswordHashing,
        signing_in: SigningIn,
        limiter: RateLimiter,
        limits: AccountLimits,
    ) -> None:
        self._shards = shards
        self._identities = identities
        self._passwords = passwords
        self._signing_in = signing_in
        self._limiter = limiter
        self._limits = limits

    async def register(self, entered: Registration, client: Client) -> SignedIn:
        """Make an account and sign in.

        The e-mail and the handle are reserved, the user is written in one transaction with the
        first session and the event, then the reservations are made permanent. However many people
        ask for one e-mail at the same time, one gets it.

        Raises:
            BadUserInputError: something may not be entered.
            IdentityTakenError: the e-mail or the handle belongs to somebody else.
            RateLimitedError: too many registrations from this address, or of this e-mail.
        """
        await self._limiter.hit(self._limits.register_address, client.limit_key)
        email, handle = values.email(entered.email), values.handle(entered.handle)
        name = values.display_name(entered.display_name)
        check_password_rules(entered.password)
        await self._limiter.hit(self._limits.register_email, email)
        claimant = _claimant(entered.client_request_id, email)
        fresh = EntityId.new(slot_for(email, self._shards.topology.slots))
        reserved = await self._identities.reserve("email", email, owner=fresh, claimant=claimant)
        if reserved.state is ReservationState.CONFIRMED:
            return await self._repeat(reserved.owner, entered.password, client)
        reservations = [reserved, await self._reserve_handle(handle, reserved, claimant)]
        user = UserRecord(
            id=reserved.owner,
            email=email,
            handle=handle,
            display_name=name,
            bio="",
            status=AccountStatus.ACTIVE,
            created_at=datetime.now(UTC),
        )
        password_hash = await self._passwords.hash(entered.password)
        signed_in = await self._write_user(user, password_hash, reservations, client)
        await self._identities.confirm(reservations)
        # None: the same request, sent twice at the same time, was faster the other way
        return signed_in or await self._repeat(user.id, entered.password, client)

    async def login(self, entered: Login, client: Client) -> SignedIn:
        """Sign in. Takes as long for an unknown e-mail as for a wrong password.

        Raises:
            WrongCredentialsError: either is wrong; which, is not told.
            RateLimitedError: too many attempts from this address, or with this e-mail.
        """
        await self._limiter.hit(self._limits.login_address, client.limit_key)
        await self._limiter.hit(self._limits.login_email, entered.email.strip().lower())
        for _ in range(_LOGIN_ATTEMPTS):
            known = await self._find_by_email(entered.email)
            check = await self._passwords.check(
                entered.password, known.password_hash if known is not None else None
            )
            if known is None or not check.matches or known.user.status is AccountStatus.DELETED:
                break
            signed_in = await self._signing_in.open(known, client, new_hash=check.new_hash)
            if signed_in is not None:
                return signed_in
        raise WrongCredentialsError

    async def _repeat(self, user_id: EntityId, password: str, client: Client) -> SignedIn:
        """Answer a registration that has already happened: with another session of the same user.

        Only to who knows the password: the request id alone must not be a key to the account.
        """
        known = await self._signing_in.find_by_id(user_id)
        if known is None:
            raise IdentityTakenError(IdentityKind.EMAIL)
        check = await self._passwords.check(password, known.password_hash)
        signed_in = await self._signing_in.open(known, client) if check.matches else None
        if signed_in is None:
            raise IdentityTakenError(IdentityKind.EMAIL)
        return signed_in

    async def _reserve_handle(self, handle: str, email: Reservation, claimant: UUID) -> Reservation:
        try:
            return await self._identities.reserve(
                "handle", handle, owner=email.owner, claimant=claimant
            )
        except IdentityTakenError:
            await self._identities.release([email])
            raise

    async def _write_user(
        self,
        user: UserRecord,
        password_hash: str,
        reservations: list[Reservation],
        client: Client,
    ) -> SignedIn | None:
        """The transaction of a registration; None when this very user is there already."""
        try:
            async with self._shards.write(user.id.slot) as session:
                return await self._signing_in.create(
                    session, user, client, password_hash=password_hash, reservations=reservations
                )
        except ReservationLostError:
            # after other failures the user may have been written: then the leases run out by
            # themselves
            await self._identities.release(reservations)
            raise

    async def _find_by_email(self, text: str) -> Credentials | None:
        try:
            email = values.email(text)
        except BadUserInputError:
            return None
        return await self._signing_in.find(IdentityKind.EMAIL, email)


def _claimant(client_request_id: UUID | None, email: str) -> UUID:
    if client_request_id is None:
        return uuid4()
    return uuid5(_CLAIMS, f"{client_request_id}:{email}")
