"""The router's command line: ``python -m router compose | serve | plan | inspect | check``.

Results go to standard output, everything for people to standard error. Exit status 1 means that
nothing was written or started; each reason is a line ``CODE: message``.
"""

from __future__ import annotations

import os
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import orjson
import typer
from pydantic import ValidationError
from rich.console import Console

from router.compat import Version, compare, report_json, report_text
from router.planner import Planner, PlanningError
from router.planner.inspect import Stages, fetch_graph_text, graph_text, paths_text
from router.planner.plan_text import plan_json, plan_text
from router.server.errors import RequestError, RouterConfigError
from router.server.pipeline.parse import parse_document, select_operation
from router.server.pipeline.validate import validate_document
from router.server.serving import ListenError, ServerAddress
from router.server.serving import serve as serve_supergraph
from router.server.setting_names import unknown_settings
from router.server.settings import Environment, RouterSettings
from router.server.source import ConfigSource, FileSource, SourceError
from router.server.supervisor import WorkerStartError
from router.supergraph import Supergraph, SupergraphError, load_supergraph
from router.supergraph.schemas import with_defer

if TYPE_CHECKING:
    from graphql import DocumentNode, OperationDefinitionNode
    from pydantic_core import ErrorDetails

    from router.composition import CompositionHint
    from router.server.source import SupergraphSource

__all__ = ["app", "main"]

app = typer.Typer(
    name="router",
    help="A GraphQL Federation v2 router: composes subgraphs, plans operations, serves the result.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they may hold tokens
)

_errors = Console(stderr=True, highlight=False, soft_wrap=True)


class OutputFormat(StrEnum):
    """How a result is printed."""

    TEXT = "text"
    JSON = "json"


class Stage(StrEnum):
    """The stages of planning that ``inspect`` prints."""

    GRAPH = "graph"
    PATHS = "paths"
    FETCH_GRAPH = "fetch-graph"
    PLAN = "plan"


_Config = Annotated[
    Path | None,
    typer.Option(
        "--config", help="supergraph.yaml: subgraph names, addresses, schemas.", dir_okay=False
    ),
]
_SupergraphFile = Annotated[
    Path | None, typer.Option("--supergraph", help="A composed supergraph (SDL).", dir_okay=False)
]
_OperationName = Annotated[
    str | None, typer.Option("--operation", help="Which operation, when the file has several.")
]
_Format = Annotated[OutputFormat, typer.Option("--format", help="text or json.")]


def main() -> None:
    """Run the command line."""
    app()


@app.command()
def compose(
    config: Annotated[
        Path,
        typer.Option("--config", help="supergraph.yaml: subgraph names, addresses, schemas."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to write it instead of stdout.")
    ] = None,
) -> None:
    """Compose subgraphs into a supergraph (SDL)."""
    sdl = _compose(config)
    if output is None:
        typer.echo(sdl, nl=not sdl.endswith("\n"))
    else:
        _write(output, sdl if sdl.endswith("\n") else sdl + "\n")


@app.command()
def serve(
    supergraph: _SupergraphFile = None,
    config: _Config = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 for any.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes behind the port.")] = None,
    environment: Annotated[
        Environment | None,
        typer.Option(help="development shows introspection, GraphiQL and query plans."),
    ] = None,
) -> None:
    """Serve a supergraph: /graphql, /health, /ready, /metrics. Settings: environment variables
    ROUTER_*.
    """
    source = _source(supergraph, config)
    settings = _settings(host=host, port=port, workers=workers, environment=environment)

    def announce(address: ServerAddress) -> None:
        _errors.print(f"Router listening on {address.url}{settings.path}")

    try:
        serve_supergraph(settings, source, announce)
    except SourceError as error:
        _fail(error.problems)
    except SupergraphError as error:
        _fail([f"{error.code}: {error}"])
    except (ListenError, RouterConfigError, WorkerStartError) as error:
        _fail([f"CANNOT_START: {error}"])


@app.command()
def plan(
    query: Annotated[
        Path, typer.Option("--query", help="The operation's file; - for stdin.", allow_dash=True)
    ],
    supergraph: _SupergraphFile = None,
    config: _Config = None,
    operation: _OperationName = None,
    output_format: _Format = OutputFormat.TEXT,
) -> None:
    """Print the query plan of an operation."""
    planner = _planner(supergraph, config)
    document, chosen = _operation(planner.supergraph, query, operation)
    try:
        planned = planner.plan(document, chosen, defer=True)
    except PlanningError as error:
        _fail([f"{error.code}: {error}"])
    if output_format is OutputFormat.JSON:
        _print_json(plan_json(planned))
    else:
        typer.echo(plan_text(planned))


@app.command()
def inspect(
    stage: Annotated[Stage, typer.Argument(help="What to print.", show_default=False)],
    supergraph: _SupergraphFile = None,
    config: _Config = None,
    query: Annotated[
        Path | None,
        typer.Option(
            "--query", help="The operation's file; - for stdin. Not for graph.", allow_dash=True
        ),
    ] = None,
    operation: _OperationName = None,
) -> None:
    """Print a stage of planning: the query graph, the search for paths, the fetch graph before
    batching, or the plan.
    """
    planner = _planner(supergraph, config)
    if stage is Stage.GRAPH:
        if query is not None or operation is not None:
            _fail(["INVALID_OPTIONS: inspect graph takes no operation"])
        typer.echo(graph_text(planner.graph()))
        return
    if query is None:
        _fail([f"INVALID_OPTIONS: inspect {stage} needs --query"])
    document, chosen = _operation(planner.supergraph, query, operation)
    try:
        typer.echo(_inspect(stage, planner, document, chosen))
    except PlanningError as error:
        _fail([f"{error.code}: {error}"])


@app.command()
def check(
    config: Annotated[
        Path,
        typer.Option("--config", help="supergraph.yaml: the new supergraph, to be composed."),
    ],
    against: Annotated[
        Path, typer.Option("--against", help="The supergraph in use (SDL).", dir_okay=False)
    ],
    output_format: _Format = OutputFormat.TEXT,
) -> None:
    """Report what a new supergraph changes: breaking, dangerous, safe. Exit status 1 if anything
    breaks.
    """
    before = _version(_read(against), str(against))
    after = _version(_compose(config), str(config))
    report = compare(before, after)
    if output_format is OutputFormat.JSON:
        _print_json(report_json(report))
    else:
        typer.echo(report_text(report))
    if report.is_breaking:
        raise typer.Exit(1)


def _source(supergraph: Path | None, config: Path | None) -> SupergraphSource:
    """The supergraph that a command is given, to be composed if need be."""
    if (supergraph is None) == (config is None):
        _fail(["INVALID_OPTIONS: give exactly one of --supergraph and --config"])
    if supergraph is not None:
        return FileSource(supergraph)
    return ConfigSource(config or Path(), _print_hint)


def _planner(supergraph: Path | None, config: Path | None) -> Planner:
    sdl = _read_source(_source(supergraph, config))
    try:
        return Planner(load_supergraph(sdl))
    except SupergraphError as error:
        _fail([f"{error.code}: {supergraph or config}: {error}"])


def _inspect(
    stage: Stage, planner: Planner, document: DocumentNode, operation: OperationDefinitionNode
) -> str:
    if stage is Stage.PLAN:
        return plan_text(planner.plan(document, operation))
    stages = Stages(planner, document, operation)
    return paths_text(stages.search) if stage is Stage.PATHS else fetch_graph_text(stages)


def _operation(
    supergraph: Supergraph, query: Path, name: str | None
) -> tuple[DocumentNode, OperationDefinitionNode]:
    """The operation of a file, read and validated as the server would."""
    text = typer.get_text_stream("stdin").read() if str(query) == "-" else _read(query)
    try:
        document = parse_document(
            text, max_tokens=RouterSettings.model_fields["max_tokens"].default
        )
        chosen = select_operation(document, name)
        validate_document(
            with_defer(supergraph.api_schema),
            document,
            max_errors=100,
            max_work=50_000,
            introspection=True,
            suggestions=True,
        )
    except RequestError as error:
        _fail(f"{error.code}: {found['message']}" for found in error.errors)
    return document, chosen


def _version(sdl: str, origin: str) -> Version:
    try:
        return Version.parse(sdl)
    except SupergraphError as error:
        _fail([f"{error.code}: {origin}: {error}"])


def _print_json(value: Any) -> None:
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _compose(config: Path) -> str:
    return _read_source(ConfigSource(config, _print_hint))


def _read_source(source: SupergraphSource) -> str:
    try:
        return source.read()
    except SourceError as error:
        _fail(error.problems)


def _print_hint(hint: CompositionHint) -> None:
    _errors.print(f"hint {hint.code}: {hint.message}", markup=False, style="dim")


def _settings(**options: Any) -> RouterSettings:
    for line in unknown_settings(os.environ):
        _errors.print(f"hint UNKNOWN_SETTING: {line}", markup=False, style="dim")
    try:
        return RouterSettings(
            **{name: value for name, value in options.items() if value is not None}
        )
    except ValidationError as error:
        _fail(
            ": ".join(("INVALID_SETTING", *filter(None, (_place(problem), problem["msg"]))))
            for problem in error.errors()
        )


def _place(problem: ErrorDetails) -> str:
    """Where a setting is wrong; empty where several do not go together."""
    return ".".join(map(str, problem["loc"]))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        _fail([f"UNREADABLE_FILE: {path}: {getattr(error, 'strerror', None) or error}"])


def _write(path: Path, text: str) -> None:
    """Write a file whole or not at all: a running router may be watching it."""
    try:
        path = path.resolve(strict=False)  # what a link leads to, not the link, is replaced
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).chmod(0o644)
            Path(temporary).replace(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        _fail([f"UNWRITABLE_FILE: {path}: {error.strerror or error}"])


def _fail(lines: Any) -> NoReturn:
    for line in lines:
        _errors.print(str(line), markup=False)
    raise typer.Exit(1)
