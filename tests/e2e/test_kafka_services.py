"""The services with Kafka between them: what a client does reaches the topics and other clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from jsonschema import Draft202012Validator

from socialnet.client import CreatePostInput, PostPublished
from tests.e2e.conftest import System
from tests.e2e.people import new_person
from tests.support.kafka import KafkaBroker
from tests.support.postgres import reachable_folder, running_clusters
from tests.support.services import migrated_shards, running_services

pytestmark = [pytest.mark.kafka, pytest.mark.redis, pytest.mark.xdist_group("kafka")]

SCHEMAS = Path(__file__).parents[2] / "schema/events"
PREFIX = f"e2e-{uuid4().hex}"


@pytest.fixture(scope="module")
async def system(kafka_server: KafkaBroker, redis_server: str) -> AsyncIterator[System]:
    """Services with a broker, without demo data."""
    await kafka_server.start()
    env = {}
    for domain in ("users", "posts"):
        await kafka_server.create_topic(f"{PREFIX}.{domain}", 3)
        env[f"{domain}_kafka_bootstrap_servers".upper()] = kafka_server.address
        env[f"{domain}_kafka_topic_prefix".upper()] = PREFIX
    with reachable_folder() as folder:
        async with running_clusters(folder) as clusters:
            shards = await migrated_shards(clusters)
            async with running_services(
                shards, folder=folder, redis_url=redis_server, env=env
            ) as services:
                yield System(mode="services", base_url=services.router.base_url)


async def test_a_registration_is_in_the_topic_and_fits_its_schema(
    system: System, kafka_server: KafkaBroker
) -> None:
    schema = json.loads((SCHEMAS / "user.registered.v1.json").read_text())
    Draft202012Validator.check_schema(schema)
    reader = AIOKafkaConsumer(
        f"{PREFIX}.users",
        bootstrap_servers=kafka_server.address,
        auto_offset_reset="earliest",
    )

    async with new_person(system) as person:
        await reader.start()
        try:
            async with asyncio.timeout(60):
                while (record := await reader.getone()).key.decode() != person.id:
                    pass
        finally:
            await reader.stop()

    event = json.loads(record.value)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert list(validator.iter_errors(event)) == []
    assert event["payload"]["handle"] == person.handle
    assert dict(record.headers)["type"] == b"user.registered"
    event["payload"]["email"] = "somebody@example.com"
    assert not validator.is_valid(event)


async def test_a_post_reaches_a_subscriber_through_kafka(system: System) -> None:
    async with new_person(system) as author, new_person(system) as reader:
        events = cast("AsyncGenerator[PostPublished]", reader.client.post_published(author.id))
        first = asyncio.ensure_future(anext(events))
        # What is published before the subscription stands is not promised.
        while not first.done():
            await author.client.create_post(CreatePostInput(text="News."))
            await asyncio.wait({first}, timeout=0.2)

        assert first.result().post_published.text == "News."
        await events.aclose()
