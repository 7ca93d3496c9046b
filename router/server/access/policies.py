"""Who decides whether a policy (``@policy``) holds for a caller.

By default the token does: the claim ``policies`` lists those that it grants. With
``ROUTER_POLICY_URL`` a service decides. It gets, by POST::

    {"policies": ["read_profile"], "claims": {"sub": "7", ...}, "requestId": "..."}

with ``claims`` null for an anonymous caller, and answers which of them hold::

    {"policies": {"read_profile": true}}

What it does not name, or answers with anything but true, does not hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import aiohttp
import orjson
import structlog

from router.server.errors import RequestError, RequestErrorCode

if TYPE_CHECKING:
    from router.server.access.identity import Identity

__all__ = ["HttpPolicies", "PolicyEvaluator", "TokenPolicies"]

_log = structlog.get_logger(__name__)

_MAX_ANSWER_BYTES: Final = 1_048_576


class PolicyEvaluator(Protocol):
    """Decides about policies."""

    async def evaluate(
        self, policies: frozenset[str], identity: Identity | None, request_id: str
    ) -> frozenset[str]:
        """Return those of ``policies`` that hold for the caller.

        Raises RequestError when that cannot be told.
        """
        ...


class TokenPolicies:
    """The token says which policies hold."""

    async def evaluate(
        self, policies: frozenset[str], identity: Identity | None, request_id: str
    ) -> frozenset[str]:
        return frozenset() if identity is None else policies & identity.policies


class HttpPolicies:
    """A service decides, asked once for every operation that depends on a policy."""

    def __init__(self, url: str, *, timeout: float) -> None:
        self._url = url
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._session: aiohttp.ClientSession | None = None

    async def evaluate(
        self, policies: frozenset[str], identity: Identity | None, request_id: str
    ) -> frozenset[str]:
        question = {
            "policies": sorted(policies),
            "claims": None if identity is None else dict(identity.claims),
            "requestId": request_id,
        }
        try:
            answer = await self._ask(orjson.dumps(question))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            _log.warning("policy evaluation failed", error=repr(error), request_id=request_id)
            raise RequestError(
                RequestErrorCode.POLICY_EVALUATION_FAILED,
                "Access cannot be decided at the moment",
                status=503,
            ) from None
        return frozenset(name for name in policies if answer.get(name) is True)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, question: bytes) -> dict[str, object]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        headers = {"content-type": "application/json", "accept": "application/json"}
        async with self._session.post(
            self._url, data=question, headers=headers, allow_redirects=False
        ) as response:
            if response.status != 200:
                raise ValueError(f"status {response.status}")
            body = await response.content.read(_MAX_ANSWER_BYTES)
        answer = orjson.loads(body)
        policies = answer.get("policies") if isinstance(answer, dict) else None
        if not isinstance(policies, dict):
            raise ValueError("the answer has no object of policies")
        return policies
