"""The text of a configuration file: YAML with the line of every value, and variables filled in.

First stage of ``config.py``. YAML libraries drop lines, take the last of two equal keys in silence
and know no variables; a message about a configuration should say where, two subgraphs of one name
are a mistake, and a token does not belong into a file. So the syntax tree is looked at before it
becomes values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ConfigText", "ConfigTextError", "parse_config_text"]

_VARIABLE: Final = re.compile(r"\$\{env\.([^}:]*)(?::-([^}]*))?\}")
_STRING: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"

Path = tuple[str | int, ...]


class ConfigTextError(Exception):
    """Text that is not usable YAML; ``line`` counts from 1, None where it is not known."""

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


@dataclass(frozen=True, slots=True)
class ConfigText:
    """The values of a file, and the line on which each stands, by its path from the top."""

    value: Any
    lines: Mapping[Path, int]

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """The line of a value, or of the nearest thing around it that has one."""
        for length in range(len(path), -1, -1):
            line = self.lines.get(tuple(path[:length]))
            if line is not None:
                return line
        return None


def parse_config_text(text: str, environment: Mapping[str, str]) -> ConfigText:
    """Parse YAML; ``${env.NAME}`` and ``${env.NAME:-default}`` in it are replaced, as Rover does.

    Raises:
        ConfigTextError: not YAML, a key that is given twice, a variable that is not set.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return ConfigText(None, {})
            walk = _Walk(environment)
            walk.visit(node, ())
            return ConfigText(loader.construct_document(node), walk.lines)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem = f"it is not YAML: {error.problem or error.context}"
        raise ConfigTextError(problem, mark.line + 1 if mark else None) from error
    except (yaml.YAMLError, ValueError) as error:  # odd characters; impossible dates
        raise ConfigTextError(f"it is not YAML: {' '.join(str(error).split())}", None) from error
    except RecursionError as error:
        raise ConfigTextError("it is nested too deeply", None) from error


class _Walk:
    """Notes lines, fills in variables, and refuses keys that are given twice."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.lines: dict[Path, int] = {}
        self._environment = environment
        self._seen: set[int] = set()  # aliases may make a value part of itself

    def visit(self, node: yaml.Node, path: Path) -> None:
        self.lines[path] = _line(node)
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        if isinstance(node, yaml.ScalarNode) and node.tag == _STRING:
            node.value = self._filled_in(node)
        elif isinstance(node, yaml.SequenceNode):
            for index, item in enumerate(node.value):
                self.visit(item, (*path, index))
        elif isinstance(node, yaml.MappingNode):
            self._visit_mapping(node, path)

    def _visit_mapping(self, node: yaml.MappingNode, path: Path) -> None:
        given: set[str] = set()
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in given and key.tag != _MERGE:
                where = ".".join(map(str, (*path, name)))
                raise ConfigTextError(f"{where} is given twice", _line(key))
            given.add(name)
            self.visit(value, (*path, name))
            self.lines[(*path, name)] = _line(key)

    def _filled_in(self, node: yaml.ScalarNode) -> str:
        def value(match: re.Match[str]) -> str:
            name, default = match[1], match[2]
            found = self._environment.get(name, default)
            if found is None:
                raise ConfigTextError(f"the variable {name} is not set", _line(node))
            return found

        return _VARIABLE.sub(value, str(node.value))


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1
