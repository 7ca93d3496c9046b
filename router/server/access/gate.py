"""The gate: decides what of an operation runs for a caller.

Most operations ask nothing of their callers and never come here. For the others, the rules that the
operation touches are decided (policies by an evaluator, everything else by the token), and the
variant of the operation for this outcome runs. Modes: ``filter`` leaves out what the caller may not
see, ``reject`` refuses the whole request, ``dry_run`` only reports.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.executor.withheld import withheld_errors
from router.planner.plan import OperationKind
from router.server.access.policies import HttpPolicies, TokenPolicies
from router.server.errors import RequestError, RequestErrorCode
from router.server.settings import AccessMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from router.executor.withheld import WithheldPath
    from router.server.access.identity import Identity
    from router.server.access.operation import GuardedOperation
    from router.server.access.policies import PolicyEvaluator
    from router.server.pipeline.prepare import PreparedOperation
    from router.server.settings import RouterSettings
    from router.server.telemetry import Metrics

__all__ = ["AccessGate"]


class AccessGate:
    """Decides for every request of one router; ``evaluator`` replaces what the settings say."""

    def __init__(
        self,
        settings: RouterSettings,
        metrics: Metrics,
        evaluator: PolicyEvaluator | None = None,
    ) -> None:
        self._mode = settings.access_mode
        self._report_to = settings.access_report
        self._metrics = metrics
        self._own: HttpPolicies | None = None
        if evaluator is None and settings.policy_url is not None:
            evaluator = self._own = HttpPolicies(
                settings.policy_url, timeout=settings.policy_timeout
            )
        self._evaluator: PolicyEvaluator = evaluator or TokenPolicies()

    async def admit(
        self,
        prepared: PreparedOperation,
        variables: Mapping[str, Any],
        identity: Identity | None,
        request_id: str,
    ) -> PreparedOperation:
        """Return what of an operation runs for this caller.

        Raises RequestError when nothing does: in the mode ``reject``, or when it is a subscription
        whose only field is withheld.
        """
        guarded = prepared.guarded
        if guarded is None:
            return prepared
        passed = await self._decide(guarded, identity, request_id)
        if all(passed):
            return prepared
        if self._mode is AccessMode.REJECT:
            paths = guarded.closed_paths(passed, variables)
            if not paths:
                return prepared  # conditions leave out all of it
            raise self._refusal(paths, identity)
        hides = self._mode is not AccessMode.DRY_RUN
        variant = guarded.variant(passed, report_to=self._report_to, hides=hides)
        if variant.kind is OperationKind.SUBSCRIPTION and not variant.plan.fetches:
            raise self._refusal(guarded.closed_paths(passed, variables), identity)
        self._metrics.restrict("filtered" if hides else "reported")
        return variant

    async def aclose(self) -> None:
        """Close the connections that the gate has opened."""
        if self._own is not None:
            await self._own.aclose()

    async def _decide(
        self, guarded: GuardedOperation, identity: Identity | None, request_id: str
    ) -> tuple[bool, ...]:
        policies: frozenset[str] = frozenset()
        if guarded.policies:
            policies = await self._evaluator.evaluate(guarded.policies, identity, request_id)
        scopes: frozenset[str] = frozenset() if identity is None else identity.scopes
        known = identity is not None
        return tuple(
            rule.admits(authenticated=known, scopes=scopes, policies=policies)
            for rule in guarded.guards.rules
        )

    def _refusal(self, paths: tuple[WithheldPath, ...], identity: Identity | None) -> RequestError:
        self._metrics.restrict("rejected")
        anonymous = identity is None
        return RequestError(
            RequestErrorCode.UNAUTHORIZED_FIELD_OR_TYPE,
            "Unauthorized field or type",
            status=401 if anonymous else 403,
            well_formed=True,
            errors=withheld_errors(paths),
            headers=((b"www-authenticate", b"Bearer"),) if anonymous else (),
        )
