"""Accounts by phone: a code that was right signs in, makes an account, or links the number.

A number's code, its identity and the account that is made by it lie in one slot, so that using up
the code and writing the user are one transaction. The claimant of a new account's reservations is
made of the number alone: what a crash has left half done is taken up by the next code.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID, uuid5

from shared.errors import BadUserInputError
from shared.sharding import EntityId, IdentityTakenError
from shared.sharding.identities import ReservationState
from subgraphs.users.errors import AccountInactiveError, OtpExpiredError
from subgraphs.users.repository import IdentityKind, UserRecord
from subgraphs.users.service import values
from subgraphs.users.tables import AccountStatus

if TYPE_CHECKING:
    from shared.auth import Client
    from shared.limits import RateLimiter
    from shared.sharding import Identities, Reservation, Shards, WriteSession
    from subgraphs.users.repository import Credentials, HoldingsRepository, UserRepository
    from subgraphs.users.service.identity_changes import IdentityChanges
    from subgraphs.users.service.limits import AccountLimits
    from subgraphs.users.service.otp import CheckedCode, IssuedCode, OtpService
    from subgraphs.users.service.sessions import SessionService, SignedIn
    from subgraphs.users.service.signing_in import SigningIn

__all__ = ["PhoneService"]

_CLAIMS = UUID("b6a1f7cf-6a52-4f0e-9d8e-3a0f4f7f0c11")
_CODE = re.compile(r"[0-9]{6}", re.ASCII)
# handles of new accounts: `user_` and the last digits of the ID, more of them when they are taken
_HANDLE_DIGITS = (8, 12, 15)


class PhoneService:
    """Signs in by phone number."""

    def __init__(
        self,
        shards: Shards,
        otp: OtpService,
        signing_in: SigningIn,
        identities: Identities,
        changes: IdentityChanges,
        users: UserRepository,
        holdings: HoldingsRepository,
        sessions: SessionService,
        limiter: RateLimiter,
        limits: AccountLimits,
    ) -> None:
        self._shards = shards
        self._otp = otp
        self._signing_in = signing_in
        self._identities = identities
        self._changes = changes
        self._users = users
        self._holdings = holdings
        self._sessions = sessions
        self._limiter = limiter
        self._limits = limits

    async def request(self, phone: str, client: Client) -> IssuedCode:
        """Send a code to a number, whether or not somebody has an account by it.

        Raises:
            BadUserInputError: this is no phone number.
            RateLimitedError: too many codes for this address, or this number.
            SmsError: the message could not be handed over.
        """
        await self._limiter.hit(self._limits.request_otp_address, client.limit_key)
        return await self._otp.send(values.phone(phone))

    async def verify(
        self, phone: str, code: str, user_id: EntityId | None, client: Client
    ) -> SignedIn:
        """Sign in by a code, or link the number to the account of ``user_id``, who is signed in.

        Raises:
            BadUserInputError: this is no phone number, or no code.
            OtpInvalidError, OtpExpiredError, OtpMaxAttemptsError: see ``OtpService.check``.
            IdentityTakenError: the number belongs to another account than the one to be linked.
            RateLimitedError: too many attempts from this address.
        """
        canonical = values.phone(phone)
        if _CODE.fullmatch(code) is None:
            raise BadUserInputError("code must be six digits.", field="code")
        await self._limiter.hit(self._limits.verify_otp_address, client.limit_key)
        checked = await self._otp.check(canonical, code)
        known = await self._signing_in.find(IdentityKind.PHONE, canonical)
        if user_id is not None:
            return await self._link(user_id, known, checked, client)
        if known is None:
            signed_in = await self._sign_up(checked, client)
            if signed_in is not None:
                return signed_in
            # somebody was faster with the same number; the code can be used only once all the same
            known = await self._signing_in.find(IdentityKind.PHONE, canonical)
        if known is None:
            raise OtpExpiredError
        return await self._sign_in(known, checked, client)

    async def _sign_in(self, known: Credentials, checked: CheckedCode, client: Client) -> SignedIn:
        await self._redeem(checked)
        signed_in = await self._signing_in.open(known, client)
        if signed_in is None:
            raise OtpExpiredError
        return signed_in

    async def _sign_up(self, checked: CheckedCode, client: Client) -> SignedIn | None:
        """Make an account; None when there has come to be one."""
        claimant = uuid5(_CLAIMS, checked.phone)
        phone = await self._identities.reserve(
            IdentityKind.PHONE, checked.phone, owner=EntityId.new(checked.slot), claimant=claimant
        )
        if phone.state is ReservationState.CONFIRMED:
            return None
        reservations = [phone, await self._reserve_handle(phone)]
        user = UserRecord(
            id=phone.owner,
            email=None,
            phone=checked.phone,
            handle=reservations[1].value,
            display_name=reservations[1].value,
            bio="",
            status=AccountStatus.ACTIVE,
            created_at=datetime.now(UTC),
        )
        async with self._shards.write(checked.slot) as session:
            await self._otp.redeem(session, checked)
            signed_in = await self._signing_in.create(
                session, user, client, password_hash=None, reservations=reservations
            )
        await self._identities.confirm(reservations)
        return signed_in

    async def _reserve_handle(self, phone: Reservation) -> Reservation:
        """A handle that nobody has; the same one again for the same owner."""
        for digits in _HANDLE_DIGITS:
            handle = f"user_{phone.owner.uuid.hex[-digits:]}"
            try:
                return await self._identities.reserve(
                    IdentityKind.HANDLE, handle, owner=phone.owner, claimant=phone.claimant
                )
            except IdentityTakenError:
                continue
        raise IdentityTakenError(IdentityKind.HANDLE)

    async def _link(
        self,
        user_id: EntityId,
        known: Credentials | None,
        checked: CheckedCode,
        client: Client,
    ) -> SignedIn:
        if known is not None and known.user.id != user_id:
            raise IdentityTakenError(IdentityKind.PHONE)
        await self._changes.find(user_id)  # refuses who may not, before the code is used up
        await self._redeem(checked)
        write = partial(self._write_link, user_id, checked.phone, client)
        return await self._changes.change(user_id, IdentityKind.PHONE, checked.phone, write)

    async def _write_link(
        self, user_id: EntityId, phone: str, client: Client, session: WriteSession
    ) -> SignedIn:
        await self._holdings.set_phone(session, user_id, phone=phone, updated_at=datetime.now(UTC))
        known = await self._users.find_credentials(session, user_id)
        if known is None:
            raise AccountInactiveError
        return await self._sessions.open(session, known.user, known.scopes, client)

    async def _redeem(self, checked: CheckedCode) -> None:
        async with self._shards.write(checked.slot) as session:
            await self._otp.redeem(session, checked)
