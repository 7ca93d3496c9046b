"""The SQL of the table `one_time_passwords`: one row per phone number, on the slot of its hash.

Each statement decides and writes at once, by the shard's clock: what two requests do at the same
time, they do one after the other, and what is counted stays counted whatever becomes of a process.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Interval, bindparam, case, delete, extract, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from subgraphs.users.tables import one_time_passwords as otps

if TYPE_CHECKING:
    from sqlalchemy import BindParameter, ColumnElement

    from shared.sharding import Session, Slot, WriteSession

__all__ = ["CodeState", "OneTimePasswordRepository", "SendLimits"]


@dataclass(frozen=True, slots=True)
class SendLimits:
    """How often a code is sent to one number: ``sends`` times in a ``window``, and a ``pause``
    apart.
    """

    sends: int
    window: timedelta
    pause: timedelta


@dataclass(frozen=True, slots=True)
class CodeState:
    """The code of a number as it stands."""

    is_usable: bool  # it has neither been used nor withdrawn, and its time is not over
    attempts: int


def _interval(name: str) -> BindParameter[timedelta]:
    return bindparam(name, type_=Interval())


_NOW = func.clock_timestamp()
_KEY = (otps.c.slot == bindparam("slot_")) & (otps.c.phone == bindparam("phone_"))
_IS_USABLE = otps.c.code_hash.is_not(None) & (otps.c.expires_at > _NOW)
_WINDOW_END = otps.c.window_started_at + _interval("window")
_WINDOW_IS_OVER = _WINDOW_END <= _NOW
_PAUSE_END = otps.c.sent_at + _interval("pause")

_insert = insert(otps).values(
    slot=bindparam("slot_"),
    phone=bindparam("phone_"),
    code_hash=bindparam("code_hash_"),
    attempts=0,
    expires_at=_NOW + _interval("life"),
    sends=1,
    window_started_at=_NOW,
    sent_at=_NOW,
)
_ISSUE = _insert.on_conflict_do_update(
    index_elements=[otps.c.slot, otps.c.phone],
    set_={
        "code_hash": _insert.excluded.code_hash,
        "attempts": 0,
        "expires_at": _insert.excluded.expires_at,
        "sends": case((_WINDOW_IS_OVER, 1), else_=otps.c.sends + 1),
        "window_started_at": case(
            (_WINDOW_IS_OVER, _insert.excluded.sent_at), else_=otps.c.window_started_at
        ),
        "sent_at": _insert.excluded.sent_at,
    },
    where=(_PAUSE_END <= _NOW) & or_(_WINDOW_IS_OVER, otps.c.sends < bindparam("max_sends")),
).returning(otps.c.sends)


def _seconds_until(moment: ColumnElement[object]) -> ColumnElement[Any]:
    return extract("epoch", moment - _NOW)


_WAIT = select(
    func.greatest(
        _seconds_until(_PAUSE_END),
        case((otps.c.sends >= bindparam("max_sends"), _seconds_until(_WINDOW_END)), else_=0),
    )
).where(_KEY)
_COUNT_ATTEMPT = (
    update(otps)
    .where(_KEY, _IS_USABLE, otps.c.attempts < bindparam("max_attempts"))
    .values(attempts=otps.c.attempts + 1)
    .returning(otps.c.code_hash)
)
_STATE = select(_IS_USABLE.label("is_usable"), otps.c.attempts).where(_KEY)
_REDEEM = (
    update(otps)
    .where(_KEY, _IS_USABLE, otps.c.code_hash == bindparam("code_hash_"))
    .values(code_hash=None)
)
_TAKE_BACK = (
    update(otps)
    .where(_KEY, otps.c.code_hash == bindparam("code_hash_"))
    .values(code_hash=None, sent_at=otps.c.sent_at - _interval("pause"))
)
_OLD = (
    select(otps.c.phone)
    .where(
        otps.c.slot == bindparam("slot_"),
        otps.c.expires_at < _NOW,
        _WINDOW_IS_OVER,
    )
    .limit(bindparam("limit_"))
)
_PRUNE = delete(otps).where(
    otps.c.slot == bindparam("slot_"),
    otps.c.phone.in_(_OLD),
    # it may have been sent another code meanwhile
    otps.c.expires_at < _NOW,
)


class OneTimePasswordRepository:
    """Reads and writes codes. All sessions are in the number's slot."""

    async def issue(
        self,
        session: WriteSession,
        phone: str,
        code_hash: str,
        *,
        life: timedelta,
        limits: SendLimits,
    ) -> bool:
        """Store a new code in the place of the last one; False: the limits forbid to send one."""
        parameters = {
            **_key(session.slot, phone),
            **_limits(limits),
            "code_hash_": code_hash,
            "life": life,
        }
        return (await session.execute(_ISSUE, parameters)).one_or_none() is not None

    async def seconds_to_wait(self, session: Session, phone: str, limits: SendLimits) -> float:
        """Until the limits allow another code; not positive: now."""
        parameters = {**_key(session.slot, phone), **_limits(limits)}
        seconds = (await session.execute(_WAIT, parameters)).scalar_one_or_none()
        return 0.0 if seconds is None else float(seconds)

    async def count_attempt(
        self, session: WriteSession, phone: str, *, max_attempts: int
    ) -> str | None:
        """Count an attempt and return what to compare with; None: there is nothing to try."""
        parameters = {**_key(session.slot, phone), "max_attempts": max_attempts}
        code_hash: str | None = (
            await session.execute(_COUNT_ATTEMPT, parameters)
        ).scalar_one_or_none()
        return code_hash

    async def find_state(self, session: Session, phone: str) -> CodeState:
        """Why there was nothing to try."""
        row = (await session.execute(_STATE, _key(session.slot, phone))).one_or_none()
        if row is None:
            return CodeState(is_usable=False, attempts=0)
        return CodeState(is_usable=row.is_usable, attempts=row.attempts)

    async def redeem(self, session: WriteSession, phone: str, code_hash: str) -> bool:
        """Use the code up, in the caller's transaction; False: somebody was faster."""
        parameters = {**_key(session.slot, phone), "code_hash_": code_hash}
        return (await session.execute(_REDEEM, parameters)).rowcount == 1

    async def take_back(
        self, session: WriteSession, phone: str, code_hash: str, limits: SendLimits
    ) -> None:
        """Withdraw a code that could not be sent; another may be asked for at once."""
        parameters = {**_key(session.slot, phone), "code_hash_": code_hash, "pause": limits.pause}
        await session.execute(_TAKE_BACK, parameters)

    async def prune(self, session: WriteSession, *, window: timedelta, limit: int) -> int:
        """Delete some codes that are over and count for no limit any more; how many."""
        parameters = {"slot_": session.slot, "window": window, "limit_": limit}
        return (await session.execute(_PRUNE, parameters)).rowcount


def _key(slot: Slot | None, phone: str) -> dict[str, object]:
    return {"slot_": slot, "phone_": phone}


def _limits(limits: SendLimits) -> dict[str, object]:
    return {"max_sends": limits.sends, "window": limits.window, "pause": limits.pause}
