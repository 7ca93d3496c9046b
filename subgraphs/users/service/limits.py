"""The limits of what anybody may do without an account: by the client's address, and by account.

Every public mutation has both: many addresses must not guess one password, and one address must not
try many accounts. Attempts count, not failures, so what is refused tells nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.limits import RateLimit

__all__ = ["AccountLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """One limit for each kind of attempt; None: none."""

    register_address: RateLimit | None = None
    register_email: RateLimit | None = None
    login_address: RateLimit | None = None
    login_email: RateLimit | None = None
    refresh_address: RateLimit | None = None
    refresh_session: RateLimit | None = None
    request_otp_address: RateLimit | None = None
    verify_otp_address: RateLimit | None = None
    password_user: RateLimit | None = None
