"""What nobody may enter: each a code and a field, and nothing written on any shard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from shared.db.connect import connect
from shared.sharding import ShardConfig
from subgraphs.users.tables import metadata
from tests.integration.users.conftest import REGISTER, Register
from tests.support.subgraphs import SubgraphClient, Tokens, new_id

MEGABYTE = 1_000_000

EMAILS = (
    "",
    "no address",
    "a@localhost",
    "a@example",
    "@example.com",
    "a@",
    "a@b@example.com",
    "a@example.com.",
    ".a@example.com",
    "a.@example.com",
    "a..b@example.com",
    " a@example.com",
    "a@example.com\n",
    "a@sub..example.com",
    "a@-example.com",
    "a@[127.0.0.1]",
    '"quoted"@example.com',
    '"a b"@example.com',
    "<a@example.com>",
    "mailto:a@example.com",
    "a@example.com,b@example.com",
    "a\x00b@example.com",
    "a\u200b@example.com",
    "a@ex\u200bample.com",
    "a@ex\u202eample.com",
    "ädele@example.com",
    "\u0430da@example.com",  # a Cyrillic letter that looks like a
    "Ａda@example.com",
    "x" * 65 + "@example.com",
    "a@" + "x" * 64 + ".com",
    "a" * MEGABYTE + "@example.com",
    "a@" + "a." * (MEGABYTE // 2) + "com",
)
PASSWORDS = (
    "",
    "short",
    "1234567",
    "password123",
    "PASSWORD123",
    "ｐａｓｓｗｏｒｄ123",  # the same key strokes in full width
    "x" * 257,
    "x" * MEGABYTE,
    "\ufdfa" * (MEGABYTE // 3),  # eighteen times as long when normalised
)
HANDLES = (
    "",
    "ab",
    "x" * 31,
    "x" * MEGABYTE,
    "with space",
    "a-b-c",
    "a.b.c",
    "ádá",
    "\u0430da",
    "\u212aate",  # the sign for kelvin, whose lower case is an ASCII k
    "\u0130da",
    "ａｄａ",
    "abc\x00",
    "ab\u200bc",
    "ab\u202ec",
    "１２３",
    "admin",
    "Support",
    "deleted",
    "unavailable",
)
NAMES = (
    "",
    "   ",
    "\u200b\u2060",
    "\u3164",
    "\u2800",
    "\u0301",
    "\U000e0041",
    "x" * 51,
    "x" * MEGABYTE,
    "a\x00b",
    "two\nlines",
    "\u202eevil",
    "\u2066evil",
    "a\u2028b",
)
BIOS = ("x" * 301, "x" * MEGABYTE, "a\x00b", "\u202eevil", "\x1b[31mred")
PHONES = (
    "",
    "030901820",
    "+49",
    "+0123456789",
    "+1800FLOWERS",
    "+" + "1" * MEGABYTE,
    "+4930\x00901820",
)
CODES = ("", "12345", "1234567", "abcdef", "１２３４５６", "1" * MEGABYTE, "-12345", "12 456")

ENTERED = {
    "email": "someone@example.com",
    "password": "correct horse 1",
    "handle": "someone",
    "displayName": "Someone",
}
UPDATE = "mutation ($input: UpdateProfileInput!) { updateProfile(input: $input) { id } }"
LINK = """
mutation ($email: String!, $password: String!) {
  linkEmail(email: $email, password: $password) { id }
}
"""
CHANGE = """
mutation ($newPassword: String!) {
  changePassword(currentPassword: "correct horse 1", newPassword: $newPassword)
}
"""
OTP = "mutation ($phone: String!) { requestOtp(phone: $phone) { expiresIn } }"
VERIFY = """
mutation ($phone: String!, $code: String!) {
  verifyOtp(phone: $phone, code: $code) { expiresIn }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of one mutation. `entered` is what else is entered; under `input` if `nested`."""

    name: str
    mutation: str
    field: str
    values: tuple[str, ...]
    entered: dict[str, Any]
    nested: bool = False

    def variables(self, value: str) -> dict[str, Any]:
        """With `value` in its place."""
        entered = self.entered | {self.field: value}
        return {"input": entered} if self.nested else entered


ENTRIES = [
    *(
        Entry(
            name="register",
            mutation=REGISTER,
            field=field,
            values=values,
            entered=ENTERED,
            nested=True,
        )
        for field, values in (
            ("email", EMAILS),
            ("password", PASSWORDS),
            ("handle", HANDLES),
            ("displayName", NAMES),
            ("clientRequestId", ("", "1", "{" + "0" * 32 + "}", "x" * MEGABYTE)),
        )
    ),
    *(
        Entry(
            name="updateProfile",
            mutation=UPDATE,
            field=field,
            values=values,
            entered={"bio": "not to be written"},
            nested=True,
        )
        for field, values in (
            ("handle", HANDLES),
            ("displayName", NAMES),
            ("bio", BIOS),
            ("avatarMediaId", ("", "1", "256-" + "0" * 32, "x" * MEGABYTE)),
        )
    ),
    *(
        Entry(
            name="linkEmail",
            mutation=LINK,
            field=field,
            values=values,
            entered={"email": "b@example.com", "password": "correct horse 1"},
        )
        for field, values in (("email", EMAILS), ("password", PASSWORDS))
    ),
    Entry(
        name="changePassword",
        mutation=CHANGE,
        field="newPassword",
        values=PASSWORDS,
        entered={},
    ),
    Entry(name="requestOtp", mutation=OTP, field="phone", values=PHONES, entered={}),
    *(
        Entry(
            name="verifyOtp",
            mutation=VERIFY,
            field=field,
            values=values,
            entered={"phone": "+4930901820", "code": "123456"},
        )
        for field, values in (("phone", PHONES), ("code", CODES))
    ),
]


async def _counts(shards: tuple[ShardConfig, ...]) -> dict[str, list[int]]:
    counts: dict[str, list[int]] = {}
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        for table in metadata.tables:
            count = await connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608
            counts.setdefault(table, []).append(count)
        await connection.close()
    return counts


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.name}-{entry.field}")
async def test_what_may_not_be_entered_is_refused_by_field_and_writes_nothing(
    users: SubgraphClient,
    register: Register,
    users_shards: tuple[ShardConfig, ...],
    entry: Entry,
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    before = await _counts(users_shards)

    accepted = []
    for value in entry.values:
        answer = await users(entry.mutation, entry.variables(value), token=token)
        refusals = [error["extensions"] for error in answer.errors]
        if refusals != [{"code": "BAD_USER_INPUT", "field": entry.field}]:
            accepted.append((ascii(value)[:40], refusals))

    assert accepted == []
    assert await _counts(users_shards) == before
    me = (await users("{ me { handle displayName bio email } }", token=token)).ok()["me"]
    assert me == {
        "handle": "ada",
        "displayName": "Ada",
        "bio": "",
        "email": "ada@example.com",
    }


async def test_spellings_of_one_email_are_one_account(register: Register) -> None:
    (await register("ada", email="Ada.L@München.example.com")).ok()

    for number, spelling in enumerate(
        (
            "ada.l@münchen.example.com",
            "ADA.L@XN--MNCHEN-3YA.EXAMPLE.COM",
            "ada.l@münchen。example.com",
        )
    ):
        answer = await register(f"other_{number}", email=spelling)
        assert answer.codes == ["CONFLICT"], spelling


async def test_hostile_lookups_find_nobody(users: SubgraphClient, tokens: Tokens) -> None:
    query = "query ($handle: String!) { userByHandle(handle: $handle) { id } }"

    for handle in HANDLES:
        answer = await users(query, {"handle": handle}, token=tokens.of(new_id(0)))
        assert answer.ok() == {"userByHandle": None}
        assert answer.extensions["sql"]["statements"] == 0


async def test_invisible_characters_do_not_get_into_names(register: Register) -> None:
    answer = await register("ada", displayName="\ufeffA\u200bd\u2060a\u00ad 🏴\U000e0067\U000e007f")

    assert answer.ok()["register"]["user"]["displayName"] == "Ada 🏴\U000e0067\U000e007f"
