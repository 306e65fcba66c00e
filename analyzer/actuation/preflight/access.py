"""What this program may do in the target's namespace, asked of the API server itself."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.actuation.preflight.context import Context, Findings, Found
from analyzer.kube.objects import ACCESS_REVIEWS, DEPLOYMENTS, PODS, REPLICA_SETS, Kind

_READING: Sequence[tuple[str, Kind]] = tuple(
    (verb, kind) for kind in (DEPLOYMENTS, REPLICA_SETS, PODS) for verb in ("list", "watch")
)
_WRITING = (("get", DEPLOYMENTS), ("patch", DEPLOYMENTS))


def access(context: Context) -> Findings:
    """Everything that a release needs is allowed."""
    asked = (*_READING, *_WRITING) if context.acting else _READING
    denied: dict[Kind, list[str]] = {}
    for verb, kind in asked:
        if not _allowed(context, verb, kind):
            denied.setdefault(kind, []).append(verb)
    for kind, verbs in denied.items():
        group = f" of {kind.group}" if kind.group else ""
        yield Found(
            f"may not {', '.join(verbs)} {kind.plural}{group} in namespace {context.target.namespace}",
            "give the ServiceAccount the rules of the RBAC file that comes with the program, in that namespace",
        )


def _allowed(context: Context, verb: str, kind: Kind) -> bool:
    attributes = {
        "namespace": context.target.namespace,
        "verb": verb,
        "group": kind.group,
        "resource": kind.plural,
    }
    body = {
        "apiVersion": ACCESS_REVIEWS.api_version,
        "kind": ACCESS_REVIEWS.kind,
        "spec": {"resourceAttributes": attributes},
    }
    answer = context.api.create(ACCESS_REVIEWS, None, body)
    return bool((answer.get("status") or {}).get("allowed"))
