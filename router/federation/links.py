"""``@link``: which specifications a schema uses, and under which local names.

``extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", as: "fed", import: ["@key",
{name: "@tag", as: "@label"}])`` makes ``@key`` and ``@label`` usable as written and everything else
as ``@fed__<name>``. The same rules hold for subgraphs and supergraphs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from graphql import (
    ListValueNode,
    ObjectValueNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    StringValueNode,
)

from router.federation.codes import ErrorCode
from router.federation.directives import LINK_IDENTITY
from router.federation.versions import Version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graphql import ConstDirectiveNode, ConstValueNode, DocumentNode, ValueNode

__all__ = ["Import", "Link", "LinkError", "link_directive_name", "parse_links", "schema_directives"]

_CORE_IDENTITY: Final = "https://specs.apollo.dev/core"
_NAME: Final = re.compile(r"[_A-Za-z]\w*")


class LinkError(Exception):
    """A ``@link`` that breaks the specification."""

    def __init__(self, code: ErrorCode, message: str, line: int | None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.line = line


@dataclass(frozen=True, slots=True)
class Import:
    """One imported element; directives keep their ``@``: ``Import("@tag", "@label")``."""

    element: str
    alias: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One ``@link``. ``identity`` is the URL without its version, ``name`` its last path part."""

    url: str
    identity: str
    name: str | None
    version: Version | None
    alias: str | None = None
    imports: tuple[Import, ...] = ()
    purpose: str | None = None
    line: int | None = None

    def local_name(self, element: str) -> str:
        """What the schema calls ``element`` (``"@key"``, ``"FieldSet"``); the ``@`` stays."""
        for imported in self.imports:
            if imported.element == element:
                return imported.alias
        at, bare = ("@", element[1:]) if element.startswith("@") else ("", element)
        prefix = self.alias or self.name
        if prefix is None:
            return element
        if at and bare == self.name:
            return f"@{prefix}"
        return f"{at}{prefix}__{bare}"

    def imported_as(self, alias: str) -> str | None:
        """The element that the schema imported under ``alias``; None when there is none."""
        return next((item.element for item in self.imports if item.alias == alias), None)


def schema_directives(document: DocumentNode) -> Iterator[ConstDirectiveNode]:
    """The directives on the schema definition and its extensions, in order."""
    for definition in document.definitions:
        if isinstance(definition, (SchemaDefinitionNode, SchemaExtensionNode)):
            yield from definition.directives or ()


def link_directive_name(document: DocumentNode) -> str | None:
    """The local name of ``@link``, which a schema may rename; None when it links nothing."""
    fallback: str | None = None
    for directive in schema_directives(document):
        name = directive.name.value
        arguments = _arguments(directive)
        url = _string(arguments.get("url")) or _string(arguments.get("feature"))
        if url and url.startswith((f"{LINK_IDENTITY}/", f"{_CORE_IDENTITY}/")):
            default = "core" if url.startswith(_CORE_IDENTITY) else "link"
            if name == (_string(arguments.get("as")) or default) or any(
                item.element == "@link" and item.alias == f"@{name}" for item in _imports(directive)
            ):
                return name
        if name == "link":
            fallback = name
    return fallback


def parse_links(document: DocumentNode) -> tuple[Link, ...]:
    """Every link of a schema, in order.

    Raises:
        LinkError: an invalid URL, import or name; two links with one identity or local name.
    """
    name = link_directive_name(document)
    links = tuple(
        _link(directive)
        for directive in schema_directives(document)
        if directive.name.value == name
    )
    _require_unique(links)
    _require_clear(links)
    return links


def _link(directive: ConstDirectiveNode) -> Link:
    arguments = _arguments(directive)
    line = _line(directive)
    url = _string(arguments.get("url")) or _string(arguments.get("feature"))
    if not url:
        code = ErrorCode.INVALID_LINK_DIRECTIVE_USAGE
        raise LinkError(code, 'Missing the argument "url" (a string) in a @link application.', line)
    identity, name, version = _split_url(url, line)
    alias = _string(arguments.get("as"))
    if alias is not None and not _NAME.fullmatch(alias):
        code = ErrorCode.INVALID_LINK_DIRECTIVE_USAGE
        raise LinkError(
            code, f'Invalid alias "{alias}" for "{url}": it is not a GraphQL name.', line
        )
    purpose = arguments.get("for")
    return Link(
        url=url,
        identity=identity,
        name=name,
        version=version,
        alias=alias,
        imports=_imports(directive),
        purpose=getattr(purpose, "value", None),
        line=line,
    )


def _split_url(url: str, line: int | None) -> tuple[str, str | None, Version | None]:
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise LinkError(
            ErrorCode.INVALID_LINK_IDENTIFIER, f'Invalid @link url "{url}": {error}.', line
        ) from error
    if not parts.scheme or not parts.netloc:
        message = f'Invalid @link url "{url}": it needs a scheme and a host.'
        raise LinkError(ErrorCode.INVALID_LINK_IDENTIFIER, message, line)
    segments = [segment for segment in parts.path.split("/") if segment]
    version = Version.find(segments[-1]) if segments else None
    if version is not None:
        segments.pop()
    name = segments[-1] if segments and _NAME.fullmatch(segments[-1]) else None
    path = "".join(f"/{segment}" for segment in segments)
    return f"{parts.scheme}://{parts.netloc}{path}", name, version


def _imports(directive: ConstDirectiveNode) -> tuple[Import, ...]:
    value = _arguments(directive).get("import")
    if value is None:
        return ()
    line = _line(directive)
    if not isinstance(value, ListValueNode):
        message = 'Invalid @link argument "import": it must be a list.'
        raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, line)
    return tuple(_import(item, line) for item in value.values)


def _import(value: ValueNode, line: int | None) -> Import:
    if isinstance(value, StringValueNode):
        return Import(value.value, value.value)
    fields: dict[str, str | None] = {}
    if isinstance(value, ObjectValueNode):
        fields = {field.name.value: _string(field.value) for field in value.fields}
    element, alias = fields.get("name"), fields.get("as")
    if not element or fields.keys() - {"name", "as"}:
        message = (
            'Invalid sub-value of the @link argument "import": values must be strings or objects'
            ' of the form { name: "<importedElement>", as: "<alias>" }.'
        )
        raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, line)
    if alias and element.startswith("@") != alias.startswith("@"):
        message = (
            f'Invalid @link import renaming: "{element}" and its alias "{alias}" must both be'
            ' directives (start with "@") or both be types.'
        )
        raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, line)
    return Import(element, alias or element)


def _require_unique(links: tuple[Link, ...]) -> None:
    identities: set[str] = set()
    names: set[str] = set()
    for link in links:
        local = link.alias or link.name
        if link.identity in identities:
            message = f'Duplicate inclusion of feature "{link.identity}".'
            raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, link.line)
        if local is not None and local in names:
            message = (
                f'Two @link applications use the same local name "{local}"; rename one of them'
                ' with the argument "as".'
            )
            raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, link.line)
        identities.add(link.identity)
        names.add(local or link.identity)


def _require_clear(links: tuple[Link, ...]) -> None:
    """No import of one feature may have a name that stands for something of another one."""
    owners = {link.alias or link.name: link for link in links}
    for link in links:
        for imported in link.imports:
            owner = owners.get(imported.alias.removeprefix("@").split("__")[0])
            if owner is not None and owner is not link:
                message = (
                    f'Cannot import "{imported.element}" from "{link.identity}": as'
                    f' "{imported.alias}" it can be confused with what belongs to "{owner.url}".'
                    ' Rename the import or the feature with "as".'
                )
                raise LinkError(ErrorCode.INVALID_LINK_DIRECTIVE_USAGE, message, link.line)


def _arguments(directive: ConstDirectiveNode) -> dict[str, ConstValueNode]:
    return {argument.name.value: argument.value for argument in directive.arguments or ()}


def _string(value: ValueNode | None) -> str | None:
    return value.value if isinstance(value, StringValueNode) else None


def _line(directive: ConstDirectiveNode) -> int | None:
    return directive.loc.start_token.line if directive.loc else None
