"""Whether this identity may do in its own namespace what no daemon can do without. Asked once, at the start.

What is missing in a target's namespace stops that target only: preflight and the cache say so there.
"""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.kube.errors import ForbiddenError
from analyzer.kube.objects import CONFIG_MAPS, LEASES, Api, Kind
from analyzer.kube.permission import may

NEEDED: Sequence[tuple[Kind, Sequence[str]]] = (
    (CONFIG_MAPS, ("get", "list", "create", "patch")),
    (LEASES, ("get", "create", "patch")),
)
"""For the documents, and for the right to act."""


def check_rbac(api: Api, namespace: str) -> None:
    """Raises ForbiddenError that names all that is missing, and KubeError when the API server cannot be asked."""
    missing = [
        f"{', '.join(denied)} {kind.plural}"
        for kind, verbs in NEEDED
        if (denied := [verb for verb in verbs if not _allowed(api, namespace, kind, verb)])
    ]
    if missing:
        raise ForbiddenError(
            f"not allowed to {' or '.join(missing)} in namespace {namespace}, where the daemon keeps its documents; "
            "apply config/kubernetes/rbac.yaml or the Helm chart's RBAC, or pass another --analyzer-namespace"
        )


def _allowed(api: Api, namespace: str, kind: Kind, verb: str) -> bool:
    try:
        return may(api, verb, kind, namespace)
    except ForbiddenError:  # then it cannot be known before it is tried
        return True
