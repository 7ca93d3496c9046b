from __future__ import annotations

import asyncio
import threading

import pytest
from argon2 import PasswordHasher
from typing_extensions import override

from shared.auth import PasswordHashing, check_password_rules
from shared.errors import BadUserInputError


def _cheap(time_cost: int = 1) -> PasswordHasher:
    return PasswordHasher(time_cost=time_cost, memory_cost=8, parallelism=1)


@pytest.fixture
def hashing() -> PasswordHashing:
    return PasswordHashing(_cheap())


async def test_a_password_matches_its_own_hash_only(hashing: PasswordHashing) -> None:
    stored = await hashing.hash("correct horse")

    assert stored.startswith("$argon2id$")
    assert (await hashing.check("correct horse", stored)).matches
    assert not (await hashing.check("correct horsf", stored)).matches
    assert not (await hashing.check("correct horse", None)).matches
    assert not (await hashing.check("correct horse", "no hash at all")).matches


async def test_the_same_characters_typed_differently_are_the_same_password(
    hashing: PasswordHashing,
) -> None:
    stored = await hashing.hash("Amélie's secret")

    assert (await hashing.check("Ame\u0301lie's secret", stored)).matches


async def test_a_hash_with_lesser_parameters_is_to_be_replaced(hashing: PasswordHashing) -> None:
    stored = await hashing.hash("correct horse")
    dearer = PasswordHashing(_cheap(time_cost=2))

    wrong = await dearer.check("wrong", stored)
    right = await dearer.check("correct horse", stored)

    assert wrong.new_hash is None
    assert right.new_hash is not None
    assert await dearer.check("correct horse", right.new_hash) == type(right)(matches=True)


async def test_only_so_many_passwords_are_hashed_at_the_same_time() -> None:
    hasher = _Watched()
    hashing = PasswordHashing(hasher, concurrency=2)

    await asyncio.gather(*(hashing.hash("correct horse") for _ in range(10)))

    assert hasher.most == 2


class _Watched(PasswordHasher):
    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self._lock = threading.Lock()
        self._both = threading.Barrier(2, timeout=5)
        self._running = 0
        self.most = 0

    @override
    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        with self._lock:
            self._running += 1
            self.most = max(self.most, self._running)
        self._both.wait()  # two at a time do get here
        with self._lock:
            self._running -= 1
        return super().hash(password, salt=salt)


@pytest.mark.parametrize(
    "password", ["", "1234567", "password", "PassWord1", "qwertyuiop", "iloveyou", "x" * 257]
)
def test_passwords_nobody_should_have_are_refused(password: str) -> None:
    with pytest.raises(BadUserInputError) as refused:
        check_password_rules(password)

    assert refused.value.extensions == {"code": "BAD_USER_INPUT", "field": "password"}


@pytest.mark.parametrize(
    "password", ["12 monkeys", "x" * 256, "пароль из слов", "🔑🔑🔑🔑🔑🔑🔑🔑"]
)
def test_other_passwords_are_fine(password: str) -> None:
    check_password_rules(password)


async def test_a_megabyte_is_checked_like_any_wrong_password() -> None:
    hashing = PasswordHashing(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = await hashing.hash("x" * 256)

    assert not (await hashing.check("x" * 1_000_000, stored)).matches
    assert not (await hashing.check("\ufdfa" * 300_000, None)).matches
    assert (await hashing.check("x" * 256, stored)).matches
    with pytest.raises(BadUserInputError):
        check_password_rules("e\u0301" * 600)
