"""GraphiQL, served from the package's own files: the page at the GraphQL path, its assets beside
it.

``ui/`` is the source, ``dist/`` what its build makes of it and what is served. No request leaves
the machine: the content security policy allows nothing but the router itself.
"""

from __future__ import annotations

import hashlib
import html
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTENT_SECURITY_POLICY", "Asset", "GraphiQLAssets", "GraphiQLMissingError"]

# What the editor needs beside our own files, inline styles and data: images, see ui/README.md.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)

_DIST = Path(__file__).parent / "dist"
_HASHED_NAME = re.compile(r"-[0-9A-Z]{8}\.[a-z0-9]+$")
_CONFIG_TAG = '<meta name="graphiql-config" content="{}" />'
_CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}


class GraphiQLMissingError(Exception):
    """The directory holds no build of GraphiQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file of the build. ``immutable``: its name changes with its content, so it may be cached
    for ever.
    """

    path: Path
    content_type: str
    immutable: bool

    def read(self) -> bytes:
        """Return the file's content."""
        return self.path.read_bytes()


class GraphiQLAssets:
    """A build of GraphiQL. Names are looked up in a list made at start, so no request can name
    another file.
    """

    def __init__(
        self, directory: Path | None = None, config: Mapping[str, Any] | None = None
    ) -> None:
        """Read the page, and put ``config`` (``defaultQuery``, ``defaultHeaders``) into it.

        Raises GraphiQLMissingError when the directory has no page.
        """
        directory = directory or _DIST
        try:
            page = (directory / "index.html").read_text(encoding="utf-8")
        except OSError:
            raise GraphiQLMissingError(f"{directory} has no index.html") from None
        if config:
            content = html.escape(orjson.dumps(config).decode(), quote=True)
            page = page.replace(_CONFIG_TAG, _CONFIG_TAG.replace("{}", content))
        self.page = page.encode()
        self.page_etag = f'"{hashlib.sha256(self.page).hexdigest()[:32]}"'
        self._assets = {
            path.name: _asset(path) for path in directory.iterdir() if path.name != "index.html"
        }

    def find(self, name: str) -> Asset | None:
        """Return the asset of this name, None when there is none."""
        return self._assets.get(name)


def _asset(path: Path) -> Asset:
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Asset(
        path=path,
        content_type=_CONTENT_TYPES.get(path.suffix, guessed),
        immutable=_HASHED_NAME.search(path.name) is not None,
    )
