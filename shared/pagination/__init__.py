"""Relay cursor connections: arguments, cursors and pages, the same in every subgraph."""

from shared.pagination.arguments import DEFAULT_PAGE, MAX_PAGE, PageRequest, page_request
from shared.pagination.cursors import decode_cursor, encode_cursor
from shared.pagination.keyset import Key, KeyPart, Keyset
from shared.pagination.pages import Edge, Page, build_page

__all__ = [
    "DEFAULT_PAGE",
    "MAX_PAGE",
    "Edge",
    "Key",
    "KeyPart",
    "Keyset",
    "Page",
    "PageRequest",
    "build_page",
    "decode_cursor",
    "encode_cursor",
    "page_request",
]
