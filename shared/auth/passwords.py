"""Passwords: the rules they must meet, and argon2id hashes of them.

Hashing costs some 50 ms and 64 MB by design, so it runs in threads, a few at a time. Checking a
password against no hash at all (an unknown e-mail) does the same work as checking it against a
wrong one, so the time an answer takes does not tell whether an account exists.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib import resources

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from shared.errors import BadUserInputError

__all__ = ["PasswordCheck", "PasswordHashing", "check_password_rules"]

_MIN_LENGTH = 8
# what argon2 costs does not depend on it, but nobody types more and a megabyte must not be hashed
_MAX_LENGTH = 256
# before normalising, which may shorten: two code points and more become one
_MAX_GIVEN = 4 * _MAX_LENGTH


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Whether the password was right, and a hash to store instead when the parameters have grown
    since.
    """

    matches: bool
    new_hash: str | None = None


class PasswordHashing:
    """Hashes and checks passwords with argon2id.

    Args:
        hasher: the parameters; argon2-cffi's defaults are RFC 9106's low-memory recommendation.
        concurrency: how many passwords are hashed at the same time; others wait.
    """

    def __init__(
        self, hasher: PasswordHasher | None = None, *, concurrency: int | None = None
    ) -> None:
        self._hasher = hasher or PasswordHasher()
        self._permits = asyncio.Semaphore(concurrency or max(2, os.cpu_count() or 2))
        self._nobody: str | None = None

    async def warm_up(self) -> None:
        """Prepare what ``check`` compares with when there is no account, so that even the first
        check takes as long.
        """
        await asyncio.to_thread(self._hash_of_nobody)

    async def hash(self, password: str) -> str:
        """A hash to store, with its parameters and salt in it."""
        async with self._permits:
            return await asyncio.to_thread(self._hasher.hash, _canonical(password))

    async def check(self, password: str, stored: str | None) -> PasswordCheck:
        """Compare ``password`` with a stored hash;

        None stands for "no such account" and takes as long.
        """
        async with self._permits:
            return await asyncio.to_thread(self._check, password, stored)

    def _check(self, given: str, stored: str | None) -> PasswordCheck:
        # nobody has a password that long: it costs as much as any other, and no more
        password = _canonical(given[: _MAX_GIVEN + 1])
        if len(given) > _MAX_GIVEN:
            stored = None
        if stored is None:
            self._matches(password, self._hash_of_nobody())
            return PasswordCheck(matches=False)
        if not self._matches(password, stored):
            return PasswordCheck(matches=False)
        outdated = self._hasher.check_needs_rehash(stored)
        return PasswordCheck(
            matches=True, new_hash=self._hasher.hash(password) if outdated else None
        )

    def _matches(self, password: str, stored: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def _hash_of_nobody(self) -> str:
        # made with this hasher's parameters, so that checking against it costs the same
        if self._nobody is None:
            self._nobody = self._hasher.hash(secrets.token_urlsafe(32))
        return self._nobody


def check_password_rules(password: str, *, field: str = "password") -> None:
    """Refuse a password nobody should have with ``BAD_USER_INPUT``: too short, too long, or on the
    common list.
    """
    length = len(_canonical(password[: _MAX_GIVEN + 1]))
    if length < _MIN_LENGTH:
        raise BadUserInputError(
            f"The password must have at least {_MIN_LENGTH} characters.", field=field
        )
    if length > _MAX_LENGTH or len(password) > _MAX_GIVEN:
        raise BadUserInputError(
            f"The password must have at most {_MAX_LENGTH} characters.", field=field
        )
    if _canonical(password).casefold() in _common_passwords():
        raise BadUserInputError("This password is too common; choose another one.", field=field)


def _canonical(password: str) -> str:
    # the same key strokes give different code points on different systems (NIST SP 800-63B,
    # 5.1.1.2)
    return unicodedata.normalize("NFKC", password)


@cache
def _common_passwords() -> frozenset[str]:
    text = resources.files(__package__).joinpath("common_passwords.txt").read_text("utf-8")
    return frozenset(line.strip() for line in text.splitlines() if line and line[0] != "#")
