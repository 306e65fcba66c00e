"""Pod templates, as Kubernetes writes them, and the environment in them; `shop` makes, `deployments` changes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def pod_template(labels: Mapping[str, str], env: Mapping[str, str | None]) -> dict[str, Any]:
    """A pod template with one container; entries that are None are left out."""
    entries = [{"name": name, "value": value} for name, value in sorted(env.items()) if value is not None]
    return {"metadata": {"labels": dict(labels)}, "spec": {"containers": [{"name": "app", "env": entries}]}}


def container_env(content: Mapping[str, Any]) -> dict[str, str]:
    """The plain environment of a pod template's first container."""
    containers = (content.get("spec") or {}).get("containers") or [{}]
    return {entry["name"]: str(entry["value"]) for entry in containers[0].get("env") or ()}


def with_env(content: Mapping[str, Any], changes: Mapping[str, str | None]) -> dict[str, Any]:
    """The pod template with entries of its first container's environment set, or removed where None."""
    spec = dict(content.get("spec") or {})
    first, *others = spec.get("containers") or [{}]
    merged = {**container_env(content), **changes}
    env = [{"name": name, "value": value} for name, value in sorted(merged.items()) if value is not None]
    return {**content, "spec": {**spec, "containers": [{**first, "env": env}, *others]}}
