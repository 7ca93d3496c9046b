"""The services of accounts, put together: who a user is, how they sign in, how they leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.sharding import EntityId, Identities, Shards
from subgraphs.users.repository import (
    DeviceRepository,
    ErasureRepository,
    HoldingsRepository,
    IdentityKind,
    OneTimePasswordRepository,
    UserRepository,
)
from subgraphs.users.service import (
    AccountService,
    CredentialService,
    ErasedUsers,
    ErasureService,
    IdentityChanges,
    LifecycleService,
    OtpService,
    PhoneService,
    SigningIn,
)
from subgraphs.users.service.otp import CodeHashing

if TYPE_CHECKING:
    from shared.auth import PasswordHashing, TokenIssuer
    from shared.limits import RateLimiter
    from subgraphs.users.service import FollowService, SessionService
    from subgraphs.users.settings import UsersSettings
    from subgraphs.users.sms import SmsSender

__all__ = ["AccountParts", "wire_accounts"]

_OTP_KEY = "socialnet users one-time passwords"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountParts:
    """What requests need of it, the parts that others build on, and what runs beside requests."""

    identities: Identities
    changes: IdentityChanges
    accounts: AccountService
    phones: PhoneService
    credentials: CredentialService
    lifecycle: LifecycleService
    erasure: ErasureService
    erased_users: ErasedUsers
    otp: OtpService


def wire_accounts(
    shards: Shards,
    settings: UsersSettings,
    *,
    issuer: TokenIssuer,
    passwords: PasswordHashing,
    sessions: SessionService,
    limiter: RateLimiter,
    sms: SmsSender,
    follows: FollowService,
) -> AccountParts:
    """All services of accounts on these shards."""
    users, holdings, limits = UserRepository(), HoldingsRepository(), settings.account_limits()

    async def holds(owner: EntityId, kind: str, value: str) -> bool:
        async with shards.read(owner.slot, fresh=True) as session:
            held = await holdings.find(session, owner)
        return held is not None and held.values[IdentityKind(kind)] == value

    identities = Identities(shards, holds=holds)
    changes = IdentityChanges(shards, holdings, identities)
    signing_in = SigningIn(shards, users, holdings, identities, sessions)
    otp = OtpService(
        shards,
        OneTimePasswordRepository(),
        CodeHashing(issuer.derive_secret(_OTP_KEY)),
        sms,
        settings.otp_rules(),
    )
    credentials = CredentialService(
        shards, users, holdings, passwords, signing_in, changes, sessions, limiter, limits
    )
    erasure = ErasureRepository()
    return AccountParts(
        identities=identities,
        changes=changes,
        accounts=AccountService(shards, identities, passwords, signing_in, limiter, limits),
        phones=PhoneService(
            shards, otp, signing_in, identities, changes, users, holdings, sessions, limiter, limits
        ),
        credentials=credentials,
        lifecycle=LifecycleService(shards, holdings, identities, credentials, sessions),
        erasure=ErasureService(
            shards,
            erasure,
            follows,
            DeviceRepository(),
            grace=timedelta(seconds=settings.erase_after_seconds),
        ),
        erased_users=ErasedUsers(shards, erasure),
        otp=otp,
    )
