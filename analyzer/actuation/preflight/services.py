"""The Service in front of both sides: without it a weight means nothing."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.actuation.preflight.context import Findings, Found, PreflightContext
from analyzer.actuation.preflight.labels import contains, shown
from analyzer.kube.objects import Json
from analyzer.model.duration import show_duration

_AFFINITY_SECONDS = 10800


def selects_both_sides(context: PreflightContext) -> Findings:
    """The configured Service exists and selects the pods of both sides."""
    name = context.target.service
    if name is None:
        return
    service = next((one for one in context.services if one["metadata"]["name"] == name), None)
    if service is None:
        known = ", ".join(sorted(one["metadata"]["name"] for one in context.services)) or "none"
        yield Found(
            f"Service {name} does not exist",
            f"set `service` to one in namespace {context.target.namespace} (found: {known})",
        )
        return
    selector = _selector(service)
    if not selector:
        yield Found(f"Service {name} has no selector", "select a label that the pods of both Deployments have")
        return
    for side in context.sides:
        differing = {key: value for key, value in selector.items() if side.pod_labels.get(key) != value}
        if differing:
            common = _common(context)
            way_out = f"select only by common labels: {shown(common)}" if common else "put a common label on both"
            yield Found(
                f"Service {name} selects {shown(differing)}, which the pods of {side.name} do not have", way_out
            )


def some_service(context: PreflightContext) -> Findings:
    """Where none is configured, at least one Service selects both sides."""
    if context.target.service is None and not _in_front(context):
        common = _common(context)
        label = f" by {shown(common)}" if common else ""
        yield Found(
            f"no Service selects the pods of both {context.stable.name} and {context.canary.name}: replicas do not "
            "decide the share of traffic",
            f"make one Service select both{label} and set `service` to its name",
        )


def session_affinity(context: PreflightContext) -> Findings:
    """Clients that stay on one pod move slowly, and all at once."""
    for service in _in_front(context):
        spec = service["spec"]
        if spec.get("sessionAffinity") != "ClientIP":
            continue
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        seconds = config.get("timeoutSeconds", _AFFINITY_SECONDS)
        yield Found(
            f"Service {service['metadata']['name']} keeps each client on one pod (sessionAffinity: ClientIP, "
            f"{show_duration(seconds)}): the canary's share follows clients instead of replicas, and requests of one "
            "client are not independent evidence",
            "remove sessionAffinity, or hold each step for longer than that",
        )


def _in_front(context: PreflightContext) -> list[Json]:
    """The Services that select both sides; the configured one only, if there is one."""
    name = context.target.service
    return [
        service
        for service in context.services
        if (name is None or service["metadata"]["name"] == name)
        and _selector(service)
        and all(contains(side.pod_labels, _selector(service)) for side in context.sides)
    ]


def _selector(service: Json) -> Mapping[str, str]:
    return service["spec"].get("selector") or {}


def _common(context: PreflightContext) -> dict[str, str]:
    other = context.canary.pod_labels
    return {key: value for key, value in context.stable.pod_labels.items() if other.get(key) == value}
