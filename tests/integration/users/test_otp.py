from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.db.connect import connect
from shared.settings import Environment
from shared.sharding import EntityId, ShardConfig, ShardSettings, Topology, slot_for
from shared.sharding import Shards as OpenShards
from subgraphs.users.app import create_app
from subgraphs.users.repository import OneTimePasswordRepository
from subgraphs.users.service import OtpService
from subgraphs.users.service.otp import CodeHashing
from subgraphs.users.settings import UsersSettings
from subgraphs.users.sms import SmsError, SmsMessage
from tests.integration.users.conftest import Register, rows_of
from tests.support.subgraphs import (
    Answer,
    SubgraphClient,
    Tokens,
    cheap_passwords,
    running,
    shard_entries,
)

PHONE = "+4930901820"
REQUEST = (
    "mutation ($phone: String!) { requestOtp(phone: $phone) { expiresIn resendAfter devCode } }"
)
VERIFY = """
mutation ($phone: String!, $code: String!) {
  verifyOtp(phone: $phone, code: $code) {
    accessToken refreshToken user { id handle displayName email phone }
  }
}
"""
Shards = tuple[ShardConfig, ...]


class Phone:
    """Keeps the messages that it is sent, and fails when told to."""

    def __init__(self) -> None:
        self.messages: list[SmsMessage] = []
        self.fails = False

    async def send(self, message: SmsMessage) -> None:
        if self.fails:
            raise SmsError
        self.messages.append(message)

    @property
    def code(self) -> str:
        """The code in the last message."""
        found = re.search(r"\b[0-9]{6}\b", self.messages[-1].text)
        assert found is not None
        return found[0]


@pytest.fixture
def phone() -> Phone:
    return Phone()


@pytest.fixture
async def users(
    users_shards: Shards, tokens: Tokens, phone: Phone
) -> AsyncIterator[SubgraphClient]:
    """The running subgraph, whose messages go to `phone`."""
    settings = UsersSettings(
        shards=shard_entries(users_shards), environment=Environment.DEVELOPMENT
    )
    app = create_app(settings, issuer=tokens.issuer, passwords=cheap_passwords(), sms=phone)
    async with running(app) as client:
        yield client


async def _request(users: SubgraphClient, number: str = PHONE) -> Answer:
    return await users(REQUEST, {"phone": number})


async def _verify(
    users: SubgraphClient, code: str, number: str = PHONE, token: str | None = None
) -> Answer:
    return await users(VERIFY, {"phone": number, "code": code}, token=token)


async def _sign_up(users: SubgraphClient, phone: Phone, number: str = PHONE) -> Any:
    (await _request(users, number)).ok()
    return (await _verify(users, phone.code, number)).ok()["verifyOtp"]


async def _sql(shards: Shards, statement: str) -> None:
    for shard in shards:
        connection = await connect(shard.primary, application_name="test")
        await connection.execute(statement)
        await connection.close()


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def test_the_first_code_of_a_number_makes_an_account(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    issued = (await _request(users, "+49 30 90 18 20")).ok()["requestOtp"]
    payload = (await _verify(users, phone.code)).ok()["verifyOtp"]

    assert issued == {"expiresIn": 300, "resendAfter": 30, "devCode": phone.code}
    user = payload["user"]
    assert phone.messages[0].to == PHONE == user["phone"]
    assert re.fullmatch(r"user_[0-9a-f]{8}", user["handle"])
    assert (user["displayName"], user["email"]) == (user["handle"], None)
    assert EntityId.parse(user["id"]).slot == slot_for(PHONE)
    me = await users("{ me { id phone } }", token=payload["accessToken"])
    assert me.ok()["me"] == {"id": user["id"], "phone": PHONE}
    events = await rows_of(users_shards, "outbox")
    assert [event["type"] for event in events] == ["user.registered"]
    assert PHONE not in str(events[0]["payload"])
    assert {row["state"] for row in await rows_of(users_shards, "identities")} == {"confirmed"}


async def test_later_codes_sign_in_to_the_same_account(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    first = await _sign_up(users, phone)
    await _sql(users_shards, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")

    second = await _sign_up(users, phone)

    assert second["user"] == first["user"]
    assert second["refreshToken"] != first["refreshToken"]
    assert len(await rows_of(users_shards, "users")) == 1


async def test_a_code_is_stored_as_a_hash_only(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    await _request(users)

    (row,) = await rows_of(users_shards, "one_time_passwords")
    assert phone.code not in str(dict(row))
    assert re.fullmatch(r"[0-9a-f]{32}\$[0-9a-f]{64}", row["code_hash"])


async def test_the_code_is_in_the_answer_in_development_alone(
    users_shards: Shards, tokens: Tokens, phone: Phone
) -> None:
    settings = UsersSettings(shards=shard_entries(users_shards), environment=Environment.TEST)
    async with running(create_app(settings, issuer=tokens.issuer, sms=phone)) as users:
        assert (await _request(users)).ok()["requestOtp"]["devCode"] is None


async def test_a_code_works_once(users: SubgraphClient, phone: Phone) -> None:
    await _sign_up(users, phone)

    assert (await _verify(users, phone.code)).codes == ["OTP_EXPIRED"]


@pytest.mark.parametrize("known", [False, True])
async def test_of_twelve_who_use_one_code_at_once_one_gets_in(
    users: SubgraphClient, phone: Phone, users_shards: Shards, known: bool
) -> None:
    if known:
        await _sign_up(users, phone)
        past = "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'"
        await _sql(users_shards, past)
    await _sql(users_shards, "DELETE FROM sessions")
    await _request(users)
    # all twelve may try: this is about using the code up
    await _sql(users_shards, "UPDATE one_time_passwords SET attempts = -20")

    answers = await asyncio.gather(*(_verify(users, phone.code) for _ in range(12)))

    assert sum(not answer.errors for answer in answers) == 1
    assert {answer.codes[0] for answer in answers if answer.errors} == {"OTP_EXPIRED"}
    assert len(await rows_of(users_shards, "users")) == 1
    assert len(await rows_of(users_shards, "sessions")) == 1
    assert len(await rows_of(users_shards, "identities")) == 2


async def test_after_five_wrong_guesses_the_right_code_is_refused(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    await _request(users)

    wrong = [await _verify(users, _wrong(phone.code)) for _ in range(5)]
    right = await _verify(users, phone.code)

    assert [answer.codes for answer in wrong] == [["OTP_INVALID"]] * 5
    assert right.codes == ["OTP_MAX_ATTEMPTS"]
    assert await rows_of(users_shards, "users") == []
    await _sql(users_shards, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")
    await _sign_up(users, phone)


async def test_twenty_guesses_at_once_are_five_guesses(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    await _request(users)

    answers = await asyncio.gather(*(_verify(users, _wrong(phone.code)) for _ in range(20)))

    codes = sorted(answer.codes[0] for answer in answers)
    assert codes == ["OTP_INVALID"] * 5 + ["OTP_MAX_ATTEMPTS"] * 15
    (row,) = await rows_of(users_shards, "one_time_passwords")
    assert row["attempts"] == 5


async def test_a_code_expires(users: SubgraphClient, phone: Phone, users_shards: Shards) -> None:
    await _request(users)
    await _sql(users_shards, "UPDATE one_time_passwords SET expires_at = now()")

    assert (await _verify(users, phone.code)).codes == ["OTP_EXPIRED"]
    assert (await _verify(users, "123456", "+4930901821")).codes == ["OTP_EXPIRED"]


async def test_a_new_code_voids_the_last_one(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    await _request(users)
    first = phone.code
    await _sql(users_shards, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")
    await _request(users)

    if first != phone.code:
        assert (await _verify(users, first)).codes == ["OTP_INVALID"]
    (await _verify(users, phone.code)).ok()


async def test_a_code_is_good_for_its_own_number_only(users: SubgraphClient, phone: Phone) -> None:
    await _request(users)
    code = phone.code
    await _request(users, "+4930901821")

    answer = await _verify(users, code, "+4930901821")

    assert answer.codes == ["OTP_INVALID"] or code == phone.code


async def test_codes_are_sent_with_pauses_and_not_too_often(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    (await _request(users)).ok()
    at_once = await _request(users)
    for _ in range(4):
        past = "UPDATE one_time_passwords SET sent_at = sent_at - interval '31 seconds'"
        await _sql(users_shards, past)
        (await _request(users)).ok()
    await _sql(users_shards, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")
    sixth = await _request(users)
    await _sql(
        users_shards,
        "UPDATE one_time_passwords SET window_started_at = window_started_at - interval '1 hour'",
    )
    next_window = await _request(users)

    assert at_once.codes == ["RATE_LIMITED"]
    assert 1 <= at_once.errors[0]["extensions"]["retryAfter"] <= 30
    assert sixth.codes == ["RATE_LIMITED"]
    assert 3500 <= sixth.errors[0]["extensions"]["retryAfter"] <= 3600
    assert not next_window.errors
    assert len(phone.messages) == 6


async def test_of_ten_requests_at_once_one_is_sent(users: SubgraphClient, phone: Phone) -> None:
    answers = await asyncio.gather(*(_request(users) for _ in range(10)))

    assert sorted(answer.codes for answer in answers) == [[]] + [["RATE_LIMITED"]] * 9
    assert len(phone.messages) == 1
    (await _verify(users, phone.code)).ok()


async def test_what_could_not_be_sent_may_be_asked_for_again_at_once(
    users: SubgraphClient, phone: Phone
) -> None:
    phone.fails = True
    failed = await _request(users)
    phone.fails = False

    assert failed.codes == ["INTERNAL_SERVER_ERROR"]
    assert failed.errors[0]["extensions"]["retryable"] is True
    await _sign_up(users, phone)


async def test_a_registration_cut_short_is_finished_by_the_next_code(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    """As a crash leaves it: both values reserved, the code unused, no user."""
    await _request(users)
    await _sql(users_shards, "ALTER TABLE users RENAME TO away")
    crashed = await _verify(users, phone.code)
    await _sql(users_shards, "ALTER TABLE away RENAME TO users")
    left = await rows_of(users_shards, "identities")

    again = await _verify(users, phone.code)

    assert crashed.codes == ["INTERNAL_SERVER_ERROR"]
    assert [row["state"] for row in left] == ["pending", "pending"]
    user = again.ok()["verifyOtp"]["user"]
    assert EntityId.parse(user["id"]).uuid in {row["owner_id"] for row in left}
    assert len(await rows_of(users_shards, "identities")) == 2


async def test_a_number_can_be_linked_to_an_account_with_email(
    users: SubgraphClient, register: Register, phone: Phone, users_shards: Shards
) -> None:
    ada = (await register("ada")).ok()["register"]
    await _request(users)

    linked = (await _verify(users, phone.code, token=ada["accessToken"])).ok()["verifyOtp"]
    await _sql(users_shards, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")
    by_phone = await _sign_up(users, phone)

    assert linked["user"]["id"] == ada["user"]["id"] == by_phone["user"]["id"]
    assert linked["user"]["phone"] == PHONE
    assert len(await rows_of(users_shards, "users")) == 1


async def test_another_number_takes_the_place_of_the_last(
    users: SubgraphClient, register: Register, phone: Phone
) -> None:
    token = (await register("ada")).ok()["register"]["accessToken"]
    for number in (PHONE, "+4930901821"):
        await _request(users, number)
        (await _verify(users, phone.code, number, token=token)).ok()

    assert (await users("{ me { phone } }", token=token)).ok()["me"]["phone"] == "+4930901821"
    bob = (await register("bob")).ok()["register"]["accessToken"]
    await _request(users, "+4930901822")
    (await _verify(users, phone.code, "+4930901822", token=bob)).ok()


async def test_a_number_of_somebody_else_is_not_linked_and_the_code_stays_good(
    users: SubgraphClient, register: Register, phone: Phone, users_shards: Shards
) -> None:
    owner = await _sign_up(users, phone)
    await _sql(users_shards, "UPDATE one_time_passwords SET sent_at = sent_at - interval '1 hour'")
    token = (await register("ada")).ok()["register"]["accessToken"]
    await _request(users)

    refused = await _verify(users, phone.code, token=token)
    accepted = await _verify(users, phone.code)

    assert refused.codes == ["CONFLICT"]
    assert refused.errors[0]["extensions"]["field"] == "phone"
    assert accepted.ok()["verifyOtp"]["user"] == owner["user"]


async def test_two_accounts_that_link_one_number_at_once_do_not_both_get_it(
    users: SubgraphClient, register: Register, phone: Phone, users_shards: Shards
) -> None:
    entered = [(await register(name)).ok()["register"]["accessToken"] for name in ("ada", "bob")]
    await _request(users)

    answers = await asyncio.gather(
        *(_verify(users, phone.code, token=token) for token in entered * 2)
    )

    assert sum(not answer.errors for answer in answers) == 1
    with_phone = [row for row in await rows_of(users_shards, "users") if row["phone"]]
    assert len(with_phone) == 1


async def test_a_bad_token_does_not_turn_linking_into_signing_up(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    await _request(users)

    answer = await _verify(users, phone.code, token="garbage")

    assert answer.codes == ["TOKEN_INVALID"]
    assert await rows_of(users_shards, "users") == []
    (await _verify(users, phone.code)).ok()


@pytest.mark.parametrize(
    ("number", "code", "field"),
    [
        *(
            (number, "123456", "phone")
            for number in (
                "",
                "030901820",
                "+49",
                "+0123456789",
                "+999123456789",
                "+1800FLOWERS",
                "+4930901820;ext=5",
                "tel:+4930901820",
                "+\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0662\u0666\u0667\u0661",
                "+493090\x001820",
                "+" + "1" * 1_000_000,
            )
        ),
        *(
            (PHONE, code, "code")
            for code in ("", "12345", "1234567", "12345a", "１２３４５６", "9" * 10**6)
        ),
    ],
)
async def test_malformed_input_is_refused_without_a_statement(
    users: SubgraphClient, number: str, code: str, field: str
) -> None:
    answer = await _verify(users, code, number)
    if field == "phone":
        assert (await _request(users, number)).codes == ["BAD_USER_INPUT"]

    assert answer.codes == ["BAD_USER_INPUT"]
    assert answer.errors[0]["extensions"]["field"] == field
    assert answer.extensions["sql"] == {"statements": 0, "shards": {}}


async def test_one_address_cannot_have_codes_sent_to_everybody(
    users: SubgraphClient, phone: Phone
) -> None:
    numbers = [f"+4930901{n:03}" for n in range(31)]
    headers = {"x-client-address": "203.0.113.7"}

    answers = [await users(REQUEST, {"phone": n}, headers=headers) for n in numbers]

    assert [answer.codes for answer in answers] == [[]] * 30 + [["RATE_LIMITED"]]
    assert len(phone.messages) == 30


async def test_handles_of_new_accounts_make_way_for_taken_ones(
    users: SubgraphClient, register: Register, phone: Phone, users_shards: Shards
) -> None:
    """The handle is made of the ID, which a crashed attempt has fixed: somebody took it since."""
    await _request(users)
    await _sql(users_shards, "ALTER TABLE users RENAME TO away")
    await _verify(users, phone.code)
    await _sql(users_shards, "ALTER TABLE away RENAME TO users")
    wanted = next(
        row["value"] for row in await rows_of(users_shards, "identities") if row["kind"] == "handle"
    )
    await _sql(users_shards, "DELETE FROM identities WHERE kind = 'handle'")
    (await register("squatter", handle=wanted)).ok()

    user = (await _verify(users, phone.code)).ok()["verifyOtp"]["user"]

    assert re.fullmatch(r"user_[0-9a-f]{12}", user["handle"])


async def test_numbers_are_forgotten_when_their_codes_count_for_nothing(
    users: SubgraphClient, phone: Phone, users_shards: Shards
) -> None:
    await _request(users)
    await _request(users, "+4930901821")
    rules = UsersSettings(shards=shard_entries(users_shards)).otp_rules()
    async with OpenShards(Topology.initial(users_shards), ShardSettings(domain="users")) as shards:
        otp = OtpService(shards, OneTimePasswordRepository(), CodeHashing(b""), phone, rules)
        slot = slot_for(PHONE)
        at_once = await otp.prune(slot)
        await _sql(users_shards, "UPDATE one_time_passwords SET expires_at = now()")
        within_the_window = await otp.prune(slot)
        past = "UPDATE one_time_passwords SET window_started_at = now() - interval '61 minutes'"
        await _sql(users_shards, past)
        afterwards = await otp.prune(slot)

    assert (at_once, within_the_window, afterwards) == (0, 0, 1)
    assert [row["phone"] for row in await rows_of(users_shards, "one_time_passwords")] == [
        "+4930901821"
    ]
