"""The checked-in build of GraphiQL: complete, self-contained, and what its source builds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

GRAPHIQL = Path("router/server/graphiql")
DIST = GRAPHIQL / "dist"
UI = GRAPHIQL / "ui"

UNREFERENCED = {"index.html", "THIRD-PARTY-LICENSES.txt"}  # asked for by name or read by people


def asset_names() -> set[str]:
    return {path.name for path in DIST.iterdir()} - UNREFERENCED


def text_of(suffix: str) -> str:
    return "".join(path.read_text() for path in sorted(DIST.glob(f"*{suffix}")))


def test_every_file_is_named_by_another_one() -> None:
    text = text_of(".html") + text_of(".css") + text_of(".js")

    assert {name for name in asset_names() if name not in text} == set()


def test_every_file_the_page_and_its_styles_name_is_there() -> None:
    page = set(re.findall(r'(?:src|href)="graphiql/([^"]+)"', text_of(".html")))
    styles = set(re.findall(r"url\(\"?\./([^)\"]+)\"?\)", text_of(".css")))

    assert len(page) == 3
    assert len(styles) == 4
    assert page | styles <= asset_names()


def test_page_and_styles_load_nothing_from_elsewhere() -> None:
    text = re.sub(r"xmlns=\S+", "", text_of(".html") + text_of(".css"))

    assert re.findall(r"(?:src=|href=|url\(|@import)\W*(?:https?:)?//", text) == []


def test_no_source_maps_and_no_inline_scripts() -> None:
    assert "sourceMappingURL" not in text_of(".js") + text_of(".css")
    assert re.findall(r"<script(?![^>]* src=)", text_of(".html")) == []


def test_licence_texts_of_the_bundled_packages_are_there() -> None:
    licences = (DIST / "THIRD-PARTY-LICENSES.txt").read_text()

    for package in ("graphiql", "monaco-editor", "react", "graphql", "graphql-ws", "prettier"):
        assert re.search(rf"^{package} [\d.]+ \(MIT\)$", licences, re.MULTILINE), package


@pytest.mark.node
def test_build_is_what_the_source_builds() -> None:
    node = shutil.which("node")
    if node is None or not (UI / "node_modules").is_dir():
        pytest.skip(f"needs Node.js, and `npm ci` in {UI}")

    check = subprocess.run(
        [node, "build.mjs", "--check"], cwd=UI, capture_output=True, text=True, check=False
    )

    assert check.returncode == 0, check.stderr
