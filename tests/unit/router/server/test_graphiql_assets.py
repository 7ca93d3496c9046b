"""GraphiQL's page and files."""

from pathlib import Path

import pytest

from router.server.graphiql import GraphiQLAssets, GraphiQLMissingError

PAGE = '<html><meta name="graphiql-config" content="{}" /></html>'


@pytest.fixture
def build(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(PAGE)
    (tmp_path / "main-B4PMKN6K.css").write_text("body {}")
    (tmp_path / "LICENSES.txt").write_text("MIT")
    return tmp_path


def test_the_configuration_is_put_into_the_page_escaped(build: Path) -> None:
    assets = GraphiQLAssets(build, {"defaultQuery": '{ a(b: "<c>") }'})

    assert b'content="{&quot;defaultQuery&quot;:' in assets.page
    assert b"<c>" not in assets.page


def test_the_own_build_takes_the_configuration() -> None:
    plain, configured = GraphiQLAssets(), GraphiQLAssets(config={"defaultQuery": "{ here }"})

    assert b"{ here }" in configured.page
    assert plain.page_etag != configured.page_etag


def test_files_have_types_and_only_hashed_names_are_immutable(build: Path) -> None:
    assets = GraphiQLAssets(build)

    style, licences = assets.find("main-B4PMKN6K.css"), assets.find("LICENSES.txt")

    assert style is not None
    assert (style.content_type, style.immutable) == ("text/css; charset=utf-8", True)
    assert style.read() == b"body {}"
    assert licences is not None
    assert (licences.content_type, licences.immutable) == ("text/plain; charset=utf-8", False)


@pytest.mark.parametrize("name", ["../secret", "index.html", "", "main.css", "/etc/passwd"])
def test_nothing_else_is_found(build: Path, name: str) -> None:
    assert GraphiQLAssets(build).find(name) is None


def test_a_directory_without_a_page_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GraphiQLMissingError):
        GraphiQLAssets(tmp_path)
