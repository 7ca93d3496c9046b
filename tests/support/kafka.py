"""A real Kafka broker for tests: one node in KRaft mode, on ports of its own, that ends with us.

`tests/kafka/install.sh` fetches the jars (`make test` runs it).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
import socket
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from socialnet.embedded import guardian

# or every failed attempt to connect would be shown with a failed test
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)

_JARS = Path(__file__).parents[2] / ".cache/kafka/jars"
_START_SECONDS = 60.0
_CLUSTER_ID = "c29jaWFsbmV0LXRlc3RzMA"
_JAVA = ("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=ERROR")
_PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/data
auto.create.topics.enable=false
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=100
controller.quorum.election.timeout.ms=300
controller.quorum.fetch.timeout.ms=600
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class KafkaBroker:
    """A broker that a test may stop and start again; its data stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: Process | None = None
        self._port, controller = _free_ports()
        self._properties = folder / "server.properties"
        self._properties.write_text(
            _PROPERTIES.format(port=self._port, controller=controller, folder=folder)
        )

    @property
    def address(self) -> str:
        """What clients call `bootstrap_servers`."""
        return f"127.0.0.1:{self._port}"

    async def format(self) -> None:
        """Prepare the folder; once."""
        options = ["format", "-t", _CLUSTER_ID, "-c", str(self._properties)]
        process = await asyncio.create_subprocess_exec(
            *_java("kafka.tools.StorageTool", *options),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    async def start(self) -> None:
        """Start it and wait until it answers. Nothing happens when it runs."""
        if self._process is not None:
            return
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", guardian.__file__, "--"),
                *_java("kafka.Kafka", str(self._properties)),
                stdin=asyncio.subprocess.PIPE,
                stdout=log,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        async with asyncio.timeout(_START_SECONDS):
            while not await self._answers():
                assert self._process.returncode is None, (self._folder / "log").read_text()
                await asyncio.sleep(0.05)  # it has no other sign of readiness than answering

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a crash does. Nothing happens when it does not run."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError):
            process.stdin.write(b"kill\n")
            await process.stdin.drain()
        await process.wait()
        process.stdin.close()

    async def create_topic(self, name: str, partitions: int) -> None:
        """Create a topic; clients see it when this returns."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        await admin.start()
        try:
            await admin.create_topics(
                [NewTopic(name=name, num_partitions=partitions, replication_factor=1)]
            )
        finally:
            await admin.close()

    async def _answers(self) -> bool:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.address)
        try:
            await admin.start()
            await admin.list_topics()
        except (KafkaError, OSError):
            return False
        finally:
            await admin.close()
        return True


@contextlib.asynccontextmanager
async def running_kafka() -> AsyncIterator[KafkaBroker]:
    """A broker without topics; skips when Kafka or Java is not installed."""
    if not (_JARS.parent / ".installed").exists():
        pytest.skip("Kafka is not installed: tests/kafka/install.sh")
    if shutil.which("java") is None:
        pytest.skip("no java on PATH")
    with tempfile.TemporaryDirectory(prefix="socialnet-kafka-") as folder:
        broker = KafkaBroker(Path(folder))
        await broker.format()
        try:
            await broker.start()
            yield broker
        finally:
            await broker.kill()


def _java(program: str, *arguments: str) -> list[str]:
    java = shutil.which("java")
    assert java is not None
    return [java, *_JAVA, "-cp", f"{_JARS}/*", program, *arguments]


def _free_ports() -> tuple[int, int]:
    with (
        socket.create_server(("127.0.0.1", 0)) as first,
        socket.create_server(("127.0.0.1", 0)) as second,
    ):
        return first.getsockname()[1], second.getsockname()[1]
