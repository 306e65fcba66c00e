"""Who else moves pods, and whether there is room for more of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from analyzer.actuation.preflight.context import Findings, Found, Pair, PreflightContext
from analyzer.actuation.preflight.labels import matches
from analyzer.decision.replicas import bounds_of, split
from analyzer.kube.objects import Json
from analyzer.model.plan import CapacityMode, Promotion

_UNITS = {
    **{f"{letter}i": Decimal(2 ** (10 * power)) for power, letter in enumerate("KMGTPE", start=1)},
    **{letter: Decimal(10 ** (3 * power)) for power, letter in enumerate("kMGTPE", start=1)},
    "m": Decimal("0.001"),
}
"""Suffixes of quantities, the longer ones first."""
_SPELLINGS = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}


def autoscaler(context: PreflightContext) -> Findings:
    """Nobody else scales what we scale."""
    for found in context.autoscalers:
        name = found["metadata"]["name"]
        if _scales(found, context.canary):
            yield Found(
                f"HorizontalPodAutoscaler {name} scales {context.canary.name}, whose replicas are set by each release",
                f"delete it; with `capacity: {{mode: surge}}` the canary follows that of {context.stable.name}",
            )
        elif _scales(found, context.stable) and context.target.plan.capacity.mode is CapacityMode.PRESERVE:
            yield Found(
                f"HorizontalPodAutoscaler {name} scales {context.stable.name}, whose replicas are also set by "
                "`capacity: {mode: preserve}`",
                "use `capacity: {mode: surge}`, which never changes the replicas of stable",
            )


def disruption_budget(context: PreflightContext) -> Findings:
    """A budget of one side alone forbids node drains as soon as that side is small."""
    for budget in context.budgets:
        selector = budget["spec"].get("selector")
        covered = [side for side in context.sides if matches(selector, side.pod_labels)]
        if len(covered) == 1:
            yield Found(
                f"PodDisruptionBudget {budget['metadata']['name']} covers the pods of {covered[0].name} only: once a "
                "release scales that side down, its nodes cannot be drained, and the other side is not protected",
                "change its selector to match the pods of both Deployments",
            )


def quota(context: PreflightContext) -> Findings:
    """The namespace has room for the pods that a release adds."""
    extra = _extra_pods(context)
    needed = _needed(context.canary, extra)
    for found in context.quotas:
        spec, status = found["spec"], found.get("status") or {}
        if extra == 0 or spec.get("scopes") or spec.get("scopeSelector"):
            continue
        for resource, hard in (status.get("hard") or spec.get("hard") or {}).items():
            left = _amount(hard) - _amount((status.get("used") or {}).get(resource, "0"))
            wanted = needed.get(_SPELLINGS.get(resource, resource), Decimal(0))
            if 0 < wanted > left:
                yield Found(
                    f"ResourceQuota {found['metadata']['name']} has {_plain(left)} {resource} left; {extra} more "
                    f"{'pod' if extra == 1 else 'pods'} of {context.canary.name} need {_plain(wanted)}",
                    "raise the quota or lower `capacity.maxSurge`",
                )


def _extra_pods(context: PreflightContext) -> int:
    """Most pods above those that are there now, in a release of the present plan."""
    plan, stable = context.target.plan, context.stable.workload.replicas
    there = stable + context.canary.workload.replicas
    if plan.capacity.mode is CapacityMode.PRESERVE:
        return max(0, bounds_of(plan.capacity, stable).ceiling - there)
    most = max(split(plan.capacity, stable, step.weight, stable).canary for step in plan.steps)
    rolls = 0 if plan.promote is Promotion.SWAP else _own_surge(context.stable)
    return max(0, most + rolls - context.canary.workload.replicas)


def _own_surge(side: Pair) -> int:
    """Pods that a Deployment adds by itself while it rolls."""
    given = ((side.spec.get("strategy") or {}).get("rollingUpdate") or {}).get("maxSurge", "25%")
    if isinstance(given, str):
        return -(-side.workload.replicas * int(given.removesuffix("%")) // 100)
    return int(given)


def _needed(side: Pair, pods: int) -> dict[str, Decimal]:
    """What so many pods take of a quota, by the quota's name for it."""
    needed = {"pods": Decimal(pods)}
    for section, resource, amount in _resources(side):
        key = f"{section}.{resource}"
        needed[key] = needed.get(key, Decimal(0)) + pods * _amount(amount)
    return needed


def _resources(side: Pair) -> Iterator[tuple[str, str, str]]:
    for container in side.pod_spec.get("containers") or ():
        resources: Mapping[str, Any] = container.get("resources") or {}
        limits = resources.get("limits") or {}
        for resource, amount in {**limits, **(resources.get("requests") or {})}.items():
            yield "requests", resource, str(amount)
        for resource, amount in limits.items():
            yield "limits", resource, str(amount)


def _amount(text: str | float) -> Decimal:
    """A Kubernetes quantity: 500m, 2, 1.5Gi, 1e3; one that cannot be read counts as nothing."""
    written = str(text)
    suffix = next((unit for unit in _UNITS if written.endswith(unit)), "")
    try:
        return Decimal(written.removesuffix(suffix)) * _UNITS.get(suffix, 1)
    except InvalidOperation:
        return Decimal(0)


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _scales(found: Json, side: Pair) -> bool:
    reference: Mapping[str, str] = found["spec"]["scaleTargetRef"]
    return reference["kind"] == "Deployment" and reference["name"] == side.name
