from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from subgraphs.users import sms
from subgraphs.users.sms import (
    ConsoleSmsSender,
    HttpSmsSender,
    NoSmsSender,
    SmsError,
    SmsGateway,
    SmsMessage,
)
from tests.support.sms_gateway import LocalGateway, running_gateway

MESSAGE = SmsMessage(to="+4930123456", text="123456 is your code")


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LocalGateway]:
    monkeypatch.setattr(sms, "_FIRST_PAUSE", 0.0)
    async with running_gateway() as local:
        yield local


async def _send(gateway: LocalGateway, *, timeout: float = 5.0) -> None:
    settings = SmsGateway(url=gateway.url, token="secret", sender="socialnet", timeout=timeout)
    async with HttpSmsSender(settings) as sender:
        await sender.send(MESSAGE)


async def test_a_message_reaches_the_gateway_as_documented(gateway: LocalGateway) -> None:
    await _send(gateway)

    (sent,) = gateway.received
    assert sent.body == {"to": MESSAGE.to, "text": MESSAGE.text, "from": "socialnet"}
    assert sent.headers["authorization"] == "Bearer secret"
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["idempotency-key"] == MESSAGE.id


@pytest.mark.parametrize("status", [500, 503, 429, 0])
async def test_what_may_pass_is_tried_again_under_the_same_key(
    gateway: LocalGateway, status: int
) -> None:
    gateway.statuses = [status, status]

    await _send(gateway)

    assert len(gateway.received) == 3
    assert {sent.headers["idempotency-key"] for sent in gateway.received} == {MESSAGE.id}


async def test_a_gateway_that_keeps_failing_is_given_up(gateway: LocalGateway) -> None:
    gateway.statuses = [500] * 3

    with pytest.raises(SmsError) as raised:
        await _send(gateway)

    assert len(gateway.received) == 3
    assert raised.value.extensions["retryable"] is True


@pytest.mark.parametrize("status", [400, 401, 302])
async def test_a_refusal_is_not_repeated(gateway: LocalGateway, status: int) -> None:
    gateway.statuses = [status]

    with pytest.raises(SmsError) as raised:
        await _send(gateway)

    assert len(gateway.received) == 1
    assert raised.value.extensions["retryable"] is False


async def test_a_silent_gateway_is_not_waited_for(gateway: LocalGateway) -> None:
    gateway.statuses = [-1, -1]

    await _send(gateway, timeout=0.2)

    assert len(gateway.received) == 3


async def test_a_gateway_that_is_not_there_is_an_error_without_its_address() -> None:
    async with running_gateway() as gone:
        url = gone.url
    async with HttpSmsSender(SmsGateway(url=url, attempts=1)) as sender:
        with pytest.raises(SmsError) as raised:
            await sender.send(MESSAGE)

    assert "127.0.0.1" not in str(raised.value)


async def test_without_a_gateway_nothing_is_sent_and_the_console_takes_everything() -> None:
    with pytest.raises(SmsError):
        await NoSmsSender().send(MESSAGE)
    await ConsoleSmsSender().send(MESSAGE)
