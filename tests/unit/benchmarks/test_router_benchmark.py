"""The parts of the router's benchmark that can be wrong without anybody noticing."""

from __future__ import annotations

import os

from benchmarks.router.processes import resident_mb
from benchmarks.router.report import FLOOR, Cell, Options, Result, as_markdown
from benchmarks.router.servers import remembering_subgraphs, same_answer
from router.executor import SubgraphRequest
from router.executor.transport import AsgiTransport

OPTIONS = Options(rounds=2, seconds=1.0, warm_up=0.5, connections=8, memory=60.0)


def test_the_lowest_round_counts_and_is_compared_with_the_floor() -> None:
    cells = {
        ("light", "router"): [Cell(0.5, 900.0, 4.0, 9.0), Cell(0.2, 1000.0, 3.0, 8.0)],
        ("light", FLOOR): [Cell(0.1, 5000.0, 1.0, 2.0), Cell(0.3, 4000.0, 1.5, 2.5)],
    }
    result = Result(cells, {"light": 1234}, (12.0, 10.0), (80.0, 90.0, 91.0, 92.0, 93.0))

    text = as_markdown(OPTIONS, result)

    assert "| light | 1.2 | router | 0.200 | 2.0x | 1,000 | 3.0 | 8.0 |" in text
    assert "| light | 1.2 | floor | 0.100 | 1.0x | 5,000 | 1.0 | 2.0 |" in text
    assert "12.0 ms the first time" in text
    assert "80 MB when started, 90 after 0.5 s of the heavy query, then 91, 92, 93 after" in text


async def test_subgraphs_answer_the_same_out_of_memory() -> None:
    transport = AsgiTransport(remembering_subgraphs(), path="/accounts")
    request = SubgraphRequest(body=b'{"query":"{ customers { id } }"}')

    first, again = await transport.execute(request), await transport.execute(request)

    assert first.status == 200
    assert b'"errors"' not in first.body
    assert again.body == first.body


async def test_floor_answers_with_so_many_bytes() -> None:
    answer = await AsgiTransport(same_answer(1234)).execute(SubgraphRequest(body=b"{}"))

    assert len(answer.body) == 1234


def test_resident_memory_is_that_of_the_process() -> None:
    assert 10 < resident_mb(os.getpid()) < 10_000
