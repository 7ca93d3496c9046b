"""The example of subgraphs in JavaScript, started as `docs/router.md` says."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import httpx
import pytest

from tests.node.run import FOLDER
from tests.support.router_processes import router_process

EXAMPLE = Path(__file__).parents[2] / "examples/javascript_subgraphs"


@pytest.mark.usefixtures("npm_packages")
async def test_the_router_answers_across_subgraphs_in_javascript(tmp_path: Path) -> None:
    for file in EXAMPLE.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(FOLDER / "node_modules")  # npm install graphql
    subgraphs = await asyncio.create_subprocess_exec(
        *("node", "subgraphs.mjs"),
        cwd=tmp_path,
        env={**os.environ, "PORT": "0"},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert subgraphs.stdout is not None
        port = (await subgraphs.stdout.readline()).split()[-1].decode()
        async with (
            router_process(tmp_path / "supergraph.yaml", PORT=port) as (_, url),
            httpx.AsyncClient() as client,
        ):
            query = "{ products { name inStock } soldOut { name } }"
            answer = await client.post(f"{url}/graphql", json={"query": query})
    finally:
        subgraphs.kill()
        await subgraphs.wait()

    assert answer.json() == {
        "data": {
            "products": [{"name": "Teapot", "inStock": 4}, {"name": "Kettle", "inStock": 0}],
            "soldOut": [{"name": "Kettle"}],
        }
    }
