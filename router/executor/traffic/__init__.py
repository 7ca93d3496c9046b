"""What stands between a fetch and its transport: time limit, retries, circuit breaker.

One :class:`SubgraphClient` per subgraph and generation. A policy says how a subgraph is treated; an
observer hears what was decided, for metrics.
"""

from router.executor.traffic.circuit_breaker import CircuitState
from router.executor.traffic.client import SubgraphClient, TrafficObserver
from router.executor.traffic.policy import BreakerPolicy, RetryPolicy, SubgraphPolicy

__all__ = [
    "BreakerPolicy",
    "CircuitState",
    "RetryPolicy",
    "SubgraphClient",
    "SubgraphPolicy",
    "TrafficObserver",
]
