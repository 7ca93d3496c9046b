"""Requests with files: ``multipart/form-data`` as in the GraphQL multipart request specification
(https://github.com/jaydenseric/graphql-multipart-request-spec).

The parts come in this order: ``operations``, the GraphQL request with null where files belong;
``map``, which says where; then the files. So everything is checked before a file is taken, and each
file is taken within its limits, in memory or on disk, while it comes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from router.executor.uploads import Upload
from router.server.errors import RequestError, RequestErrorCode
from router.server.hangup import ClientGoneError
from router.server.http.spool import Spool
from router.server.http.upload_map import check_map, place, read_map
from router.server.pipeline.read import load_json, read_members

if TYPE_CHECKING:
    from starlette.types import Receive

    from router.server.headers import RequestHeaders
    from router.server.pipeline.read import GraphQLRequest
    from router.server.settings import RouterSettings

__all__ = ["FormReader", "is_form"]

_CONTENT_TYPE: Final = re.compile(r"[\w.+-]{1,64}/[\w.+-]{1,64}(;[\x20-\x7e]{0,100})?", re.ASCII)
_ANY_CONTENT_TYPE: Final = "application/octet-stream"
_FIELDS: Final = ("operations", "map")
_MEMORY_PER_FILE: Final = 65_536


def is_form(content_type: bytes | None) -> bool:
    """Tell whether a request body may have files."""
    return content_type is not None and content_type[:19].lower() == b"multipart/form-data"


class _Part:
    """A part of the form while it comes."""

    __slots__ = ("data", "headers", "name", "size", "spool")

    def __init__(self) -> None:
        self.headers: dict[bytes, bytes] = {}
        self.name = ""
        self.data = bytearray()  # of a field
        self.spool: Spool | None = None  # of a file
        self.size = 0


class FormReader:
    """Reads one request; whoever makes it calls :meth:`close` when the request is answered."""

    def __init__(self, settings: RouterSettings) -> None:
        self._settings = settings
        self._operation: dict[str, Any] = {}
        self._places: dict[str, list[str]] = {}
        self._uploads: dict[str, Upload] = {}
        self._spools: list[Spool] = []
        self._fields_read = 0
        self._part = _Part()
        self._header = bytearray(), bytearray()
        self._to_write: list[tuple[Spool, bytes]] = []
        self._has_ended = False

    def close(self) -> None:
        """Give the files' memory and disk free."""
        for spool in self._spools:
            spool.close()

    async def read(self, receive: Receive, headers: RequestHeaders) -> GraphQLRequest:
        """Return the request, with its files among the variables.

        Raises ``MULTIPART_MALFORMED``, ``UPLOAD_MAP_INVALID``, ``UPLOAD_MISSING``,
        ``UPLOAD_TOO_LARGE``, ``TOO_MANY_UPLOADS``, and what is wrong with the operation itself.
        """
        if headers.get(b"content-encoding") not in {None, b"", b"identity"}:
            raise RequestError(
                RequestErrorCode.UNSUPPORTED_MEDIA_TYPE,
                "Requests with files cannot be compressed as a whole",
                status=415,
                headers=((b"accept-encoding", b"identity"),),
            )
        announced = headers.get(b"content-length")
        if announced is not None and announced.isdigit():
            self._check_total(int(announced))
        parser = self._parser(headers.get(b"content-type") or b"")
        received, more = 0, True
        while more:
            message = await receive()
            if message["type"] != "http.request":
                raise ClientGoneError
            body: bytes = message.get("body", b"")
            received += len(body)
            self._check_total(received)
            try:
                parser.write(body)
            except FormParserError as error:
                raise _malformed(f"The body is not valid multipart/form-data: {error}") from None
            for spool, data in self._to_write:
                await spool.append(data)
            self._to_write.clear()
            more = message.get("more_body", False)
        return self._request()

    def _request(self) -> GraphQLRequest:
        if not self._has_ended:
            raise _malformed("The body ends before its closing boundary")
        if self._fields_read < len(_FIELDS):
            raise _malformed(f"The part '{_FIELDS[self._fields_read]}' is missing")
        for name, paths in self._places.items():
            upload = self._uploads.get(name)
            if upload is None:
                raise RequestError(
                    RequestErrorCode.UPLOAD_MISSING, f"The file '{name[:100]}' is missing"
                )
            place(self._operation, paths, upload)
        request = read_members(self._operation)
        request.has_uploads = bool(self._uploads)
        return request

    def _check_total(self, size: int) -> None:
        limit = self._settings.max_upload_bytes
        if size > limit:
            raise _too_large(f"The request is larger than {limit} bytes")

    # What the parser calls

    def _parser(self, content_type: bytes) -> MultipartParser:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise _malformed("The content-type has no boundary")
        try:
            return MultipartParser(
                boundary,
                {
                    "on_part_begin": self._begin_part,
                    "on_header_field": self._header_name,
                    "on_header_value": self._header_value,
                    "on_header_end": self._end_header,
                    "on_headers_finished": self._start_content,
                    "on_part_data": self._take,
                    "on_part_end": self._end_part,
                    "on_end": self._end,
                },
            )
        except FormParserError as error:
            raise _malformed(f"The content-type has a bad boundary: {error}") from None

    def _begin_part(self) -> None:
        self._part = _Part()

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header[0].extend(data[start:end])

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header[1].extend(data[start:end])

    def _end_header(self) -> None:
        name, value = self._header
        self._part.headers[bytes(name).lower()] = bytes(value)
        self._header = bytearray(), bytearray()

    def _start_content(self) -> None:
        """Find out what the part is, and whether it may come here."""
        part = self._part
        disposition, options = parse_options_header(part.headers.get(b"content-disposition"))
        if disposition != b"form-data" or b"name" not in options:
            raise _malformed("A part has no name")
        part.name = options[b"name"].decode("utf-8", "replace")
        if self._fields_read < len(_FIELDS):
            expected = _FIELDS[self._fields_read]
            if part.name != expected:
                raise _malformed(f"The part '{expected}' must come before '{part.name[:100]}'")
            return
        if b"filename" not in options:
            raise _malformed(f"The part '{part.name[:100]}' is not a file")
        if part.name not in self._places:
            raise _map_invalid(f"The file '{part.name[:100]}' is not in 'map'")
        if part.name in self._uploads:
            raise _malformed(f"The file '{part.name[:100]}' is sent twice")
        part.spool = Spool(_MEMORY_PER_FILE)
        self._spools.append(part.spool)
        filename = options[b"filename"].decode("utf-8", "replace")
        self._uploads[part.name] = Upload(filename, _content_type(part), part.spool)

    def _take(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        part.size += end - start
        if part.spool is not None:
            limit = self._settings.max_upload_file_bytes
            if part.size > limit:
                raise _too_large(f"The file '{part.name[:100]}' is larger than {limit} bytes")
            self._to_write.append((part.spool, data[start:end]))
            return
        limit = self._settings.max_body_bytes
        if part.size > limit:
            raise RequestError(
                RequestErrorCode.PAYLOAD_TOO_LARGE,
                f"'{part.name}' is larger than {limit} bytes",
                status=413,
            )
        part.data += data[start:end]

    def _end_part(self) -> None:
        part = self._part
        if part.spool is not None:
            return
        self._fields_read += 1
        if part.name == "operations":
            self._operation = _read_operation(part.data)
            return
        self._places = read_map(part.data)
        limit = self._settings.max_uploads
        if len(self._places) > limit:
            raise RequestError(
                RequestErrorCode.TOO_MANY_UPLOADS, f"A request has at most {limit} files"
            )
        check_map(self._operation, self._places)

    def _end(self) -> None:
        self._has_ended = True


def _read_operation(data: bytearray) -> dict[str, Any]:
    parsed = load_json(bytes(data))
    if isinstance(parsed, list):
        raise RequestError(RequestErrorCode.UPLOAD_NOT_ALLOWED, "A batch cannot have files")
    if not isinstance(parsed, dict):
        raise _malformed("'operations' must be a JSON object")
    return parsed


def _content_type(part: _Part) -> str:
    given = part.headers.get(b"content-type", b"").decode("latin-1").strip()
    return given if _CONTENT_TYPE.fullmatch(given) else _ANY_CONTENT_TYPE


def _malformed(message: str) -> RequestError:
    return RequestError(RequestErrorCode.MULTIPART_MALFORMED, message)


def _map_invalid(message: str) -> RequestError:
    return RequestError(RequestErrorCode.UPLOAD_MAP_INVALID, message)


def _too_large(message: str) -> RequestError:
    return RequestError(RequestErrorCode.UPLOAD_TOO_LARGE, message, status=413)
