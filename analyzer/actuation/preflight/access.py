"""What this program may do in the target's namespace, asked of the API server itself."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.actuation.preflight.context import Findings, Found, PreflightContext
from analyzer.kube.objects import AUTOSCALERS, CONFIG_MAPS, DEPLOYMENTS, PODS, REPLICA_SETS, Kind
from analyzer.kube.permission import may

_READING: Sequence[tuple[str, Kind]] = tuple(
    (verb, kind) for kind in (DEPLOYMENTS, REPLICA_SETS, PODS, AUTOSCALERS, CONFIG_MAPS) for verb in ("list", "watch")
)
"""Operators' commands are ConfigMaps."""
_WRITING = (("get", DEPLOYMENTS), ("patch", DEPLOYMENTS))


def access(context: PreflightContext) -> Findings:
    """Everything that a release needs is allowed."""
    asked = (*_READING, *_WRITING) if context.acting else _READING
    denied: dict[Kind, list[str]] = {}
    for verb, kind in asked:
        if not may(context.api, verb, kind, context.target.namespace):
            denied.setdefault(kind, []).append(verb)
    for kind, verbs in denied.items():
        group = f" of {kind.group}" if kind.group else ""
        yield Found(
            f"not allowed to {', '.join(verbs)} {kind.plural}{group} in namespace {context.target.namespace}",
            "apply config/kubernetes/rbac.yaml or the Helm chart's RBAC for that namespace",
        )
