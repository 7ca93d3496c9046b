"""Query plan in, response out.

See ``program`` (compilation), ``execution`` (schedule) and ``positions`` (the model).
"""

from router.executor.context import ErrorDict, ExecutionResult, RequestContext
from router.executor.errors import ExecutionErrorCode, ProgramError
from router.executor.executor import Executor
from router.executor.incremental import DeferredPart, PartialResult
from router.executor.program import Program, compile_program
from router.executor.settings import ExecutorSettings
from router.executor.traffic import (
    BreakerPolicy,
    CircuitState,
    RetryPolicy,
    SubgraphPolicy,
    TrafficObserver,
)
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
    "BreakerPolicy",
    "CircuitState",
    "DeferredPart",
    "ErrorDict",
    "ExecutableSupergraph",
    "ExecutionErrorCode",
    "ExecutionResult",
    "Executor",
    "ExecutorSettings",
    "PartialResult",
    "Program",
    "ProgramError",
    "RequestContext",
    "RetryPolicy",
    "SubgraphPolicy",
    "SubgraphRequest",
    "SubgraphResponse",
    "SubgraphTransport",
    "SubscriptionError",
    "SubscriptionFailure",
    "TrafficObserver",
    "TransportError",
    "compile_program",
]
