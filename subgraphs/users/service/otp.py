"""One-time passwords: six digits, sent to a phone, that prove who holds it.

A code is stored as a keyed hash (HMAC-SHA-256 over phone, salt and code), not by a slow password
hash: there are only a million codes, which no cost per guess protects for long, while without the
key a stolen table says nothing at all. The key is made of the signing key and never in the
database.

A guess is counted before it is looked at, in a transaction of its own: no crash and no guesses at
the same time give more of them. A code that was right is used up by one statement, which one of
any number of requests wins.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.limits import RateLimitedError
from shared.sharding import ShardError, slot_for
from subgraphs.users.errors import OtpExpiredError, OtpInvalidError, OtpMaxAttemptsError
from subgraphs.users.sms import SmsError, SmsMessage

if TYPE_CHECKING:
    from datetime import timedelta

    from shared.sharding import Shards, Slot, WriteSession
    from subgraphs.users.repository import OneTimePasswordRepository, SendLimits
    from subgraphs.users.sms import SmsSender

__all__ = ["CheckedCode", "CodeHashing", "IssuedCode", "OtpRules", "OtpService"]

_DIGITS = 6
_SALT_BYTES = 16
_PRUNE_BATCH = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class OtpRules:
    """How long codes live, and how often they are sent and tried."""

    life: timedelta
    max_attempts: int
    limits: SendLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A code that has been sent."""

    code: str
    expires_in: int  # seconds
    resend_after: int  # seconds


@dataclass(frozen=True, slots=True)
class CheckedCode:
    """A code that was right, and is still to be used up."""

    phone: str
    slot: Slot  # the phone's
    stored: str


class CodeHashing:
    """Hashes of codes under one secret key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def hash(self, phone: str, code: str) -> str:
        """What to store: ``<salt>$<mac>``, another one each time."""
        salt = secrets.token_hex(_SALT_BYTES)
        return f"{salt}${self._mac(phone, salt, code)}"

    def matches(self, phone: str, code: str, stored: str) -> bool:
        """Whether the code is the one that was stored for this phone; in constant time."""
        salt, _, mac = stored.partition("$")
        return hmac.compare_digest(mac, self._mac(phone, salt, code))

    def _mac(self, phone: str, salt: str, code: str) -> str:
        message = f"{phone}\n{salt}\n{code}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, message, hashlib.sha256).hexdigest()


class OtpService:
    """Sends codes and checks them."""

    def __init__(
        self,
        shards: Shards,
        repository: OneTimePasswordRepository,
        hashing: CodeHashing,
        sender: SmsSender,
        rules: OtpRules,
    ) -> None:
        self._shards = shards
        self._repository = repository
        self._hashing = hashing
        self._sender = sender
        self._rules = rules

    async def send(self, phone: str) -> IssuedCode:
        """Send a new code to a number (E.164); the last one is void from then on.

        Raises:
            RateLimitedError: the number has been sent enough for now.
            SmsError: the message could not be handed over; the code is void.
        """
        code = f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}}"
        stored = self._hashing.hash(phone, code)
        await self._store(phone, stored)
        try:
            await self._sender.send(_message(phone, code, self._rules.life))
        except SmsError:
            await self._take_back(phone, stored)
            raise
        return IssuedCode(
            code=code,
            expires_in=int(self._rules.life.total_seconds()),
            resend_after=int(self._rules.limits.pause.total_seconds()),
        )

    async def check(self, phone: str, code: str) -> CheckedCode:
        """Count one attempt and compare.

        Raises:
            OtpInvalidError: the code is wrong.
            OtpExpiredError: there is none: its time is over, or it has been used.
            OtpMaxAttemptsError: it has been tried too often.
        """
        slot, most = self._slot(phone), self._rules.max_attempts
        async with self._shards.write(slot) as session:
            stored = await self._repository.count_attempt(session, phone, max_attempts=most)
            state = None if stored else await self._repository.find_state(session, phone)
        if stored is None:
            if state is not None and state.is_usable and state.attempts >= most:
                raise OtpMaxAttemptsError
            raise OtpExpiredError
        if not self._hashing.matches(phone, code, stored):
            raise OtpInvalidError
        return CheckedCode(phone, slot, stored)

    async def redeem(self, session: WriteSession, checked: CheckedCode) -> None:
        """Use the code up in the caller's transaction, which is in the phone's slot.

        Raises:
            OtpExpiredError: it has been used, or replaced, since it was checked.
        """
        if session.slot != checked.slot:
            raise ValueError("the transaction is not in the phone's slot")
        if not await self._repository.redeem(session, checked.phone, checked.stored):
            raise OtpExpiredError

    async def prune(self, slot: Slot) -> int:
        """Forget numbers whose codes are over, in one slot; how many."""
        pruned, batch = 0, _PRUNE_BATCH
        while batch == _PRUNE_BATCH:
            async with self._shards.write(slot) as session:
                batch = await self._repository.prune(
                    session, window=self._rules.limits.window, limit=_PRUNE_BATCH
                )
            pruned += batch
        return pruned

    async def _store(self, phone: str, stored: str) -> None:
        limits = self._rules.limits
        async with self._shards.write(self._slot(phone)) as session:
            issued = await self._repository.issue(
                session, phone, stored, life=self._rules.life, limits=limits
            )
            if not issued:
                wait = await self._repository.seconds_to_wait(session, phone, limits)
                raise RateLimitedError(max(1, math.ceil(wait)))

    async def _take_back(self, phone: str, stored: str) -> None:
        try:
            async with self._shards.write(self._slot(phone)) as session:
                await self._repository.take_back(session, phone, stored, self._rules.limits)
        except ShardError:
            return  # nobody knows the code, and its time runs out

    def _slot(self, phone: str) -> Slot:
        return slot_for(phone, self._shards.topology.slots)


def _message(phone: str, code: str, life: timedelta) -> SmsMessage:
    minutes = max(1, round(life.total_seconds() / 60))
    text = f"{code} is your code for socialnet, for {minutes} minutes. Give it to nobody."
    return SmsMessage(to=phone, text=text)
