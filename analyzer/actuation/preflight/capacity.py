"""Who else moves pods, and whether there is room for more of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from analyzer.actuation.preflight.context import Findings, Found, Pair, PreflightContext
from analyzer.actuation.preflight.labels import matches
from analyzer.decision.replicas import bounds_of, split
from analyzer.kube.objects import Json
from analyzer.kube.quantity import read_quantity
from analyzer.model.finding import FindingLevel
from analyzer.model.numbers import size
from analyzer.model.plan import CapacityMode, Promotion

_SPELLINGS = {"cpu": "requests.cpu", "memory": "requests.memory", "count/pods": "pods"}


def autoscaler(context: PreflightContext) -> Findings:
    """No autoscaler scales what a release scales."""
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
    for found in context.quotas:
        spec, status = found["spec"], found.get("status") or {}
        if extra == 0 or spec.get("scopes") or spec.get("scopeSelector"):
            continue
        used = status.get("used") or {}
        for resource, hard in (status.get("hard") or spec.get("hard") or {}).items():
            yield from _room(context.canary, extra, _Limit(found["metadata"]["name"], resource, hard, used))


class _Limit(NamedTuple):
    """One line of a ResourceQuota."""

    quota: str
    resource: str
    hard: str
    used: Mapping[str, str]

    def left(self) -> Decimal:
        """What is not used. Raises ValueError where a quantity cannot be read."""
        where = f"its {self.resource}"
        return _amount(self.hard, where) - _amount(self.used.get(self.resource, "0"), where)


def _room(canary: Pair, extra: int, limit: _Limit) -> Findings:
    try:
        wanted = _needed(canary, extra, _SPELLINGS.get(limit.resource, limit.resource))
        left = limit.left() if wanted > 0 else Decimal(0)
    except ValueError as error:
        message = f"ResourceQuota {limit.quota} not checked: {error}"
        yield Found(message, "correct it, so that room for the canary can be checked", FindingLevel.WARNING)
        return
    if wanted > left and wanted > 0:
        yield Found(
            f"ResourceQuota {limit.quota} has {_shown(left, limit.resource)} {limit.resource} left; {extra} more "
            f"{'pod' if extra == 1 else 'pods'} of {canary.name} need {_shown(wanted, limit.resource)}",
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


def _needed(side: Pair, pods: int, name: str) -> Decimal:
    """How much of a quota's `name` so many pods take. Raises ValueError where a quantity cannot be read."""
    if name == "pods":
        return Decimal(pods)
    each = (
        _amount(amount, f"{name} in container {container} of {side.name}")
        for container, resource, amount in _resources(side)
        if resource == name
    )
    return pods * sum(each, Decimal(0))


def _resources(side: Pair) -> Iterator[tuple[str, str, str | float]]:
    """Container, the quota's name for the resource, and how much of it one pod takes."""
    for container in side.pod_spec.get("containers") or ():
        resources: Mapping[str, Any] = container.get("resources") or {}
        name, limits = container.get("name", ""), resources.get("limits") or {}
        for resource, amount in {**limits, **(resources.get("requests") or {})}.items():
            yield name, f"requests.{resource}", amount
        for resource, amount in limits.items():
            yield name, f"limits.{resource}", amount


def _amount(quantity: str | float, where: str) -> Decimal:
    try:
        return read_quantity(quantity)
    except ValueError:
        raise ValueError(f"cannot read quantity {quantity!r} of {where}") from None


def _shown(amount: Decimal, resource: str) -> str:
    in_bytes = resource.endswith(("memory", "storage"))
    return size(float(amount)) if in_bytes else f"{amount.normalize():f}"


def _scales(found: Json, side: Pair) -> bool:
    reference: Mapping[str, str] = found["spec"]["scaleTargetRef"]
    return reference["kind"] == "Deployment" and reference["name"] == side.name
