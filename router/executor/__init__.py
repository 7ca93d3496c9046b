"""Query plan in, response out.

See ``program`` (compilation), ``execution`` (schedule) and ``positions`` (the model).
"""

from router.executor.context import ErrorDict, ExecutionResult, RequestContext
from router.executor.errors import ExecutionErrorCode, ProgramError
from router.executor.executor import Executor
from router.executor.program import Program, compile_program
from router.executor.settings import ExecutorSettings
from router.executor.transport.base import (
    SubgraphRequest,
    SubgraphResponse,
    SubgraphTransport,
    SubscriptionError,
    SubscriptionFailure,
    TransportError,
)
from router.executor.type_model import ExecutableSupergraph

__all__ = [
    "ErrorDict",
    "ExecutableSupergraph",
    "ExecutionErrorCode",
    "ExecutionResult",
    "Executor",
    "ExecutorSettings",
    "Program",
    "ProgramError",
    "RequestContext",
    "SubgraphRequest",
    "SubgraphResponse",
    "SubgraphTransport",
    "SubscriptionError",
    "SubscriptionFailure",
    "TransportError",
    "compile_program",
]
