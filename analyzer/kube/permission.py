"""What this identity may do, asked of the API server itself. Called at the start and by the preflight."""

from __future__ import annotations

from analyzer.kube.objects import ACCESS_REVIEWS, Api, Kind


def may(api: Api, verb: str, kind: Kind, namespace: str | None = None) -> bool:
    """Whether this is allowed in a namespace (None: in all of them).

    Raises ForbiddenError where not even this question is allowed, and other KubeErrors.
    """
    attributes = {"verb": verb, "group": kind.group, "resource": kind.plural}
    attributes |= {"namespace": namespace} if namespace is not None else {}
    review = api.create(ACCESS_REVIEWS, None, {"spec": {"resourceAttributes": attributes}})
    return bool((review.get("status") or {}).get("allowed"))
