"""Where the cluster is and who we are there: the pod's service account, or a context of a kubeconfig.

Called by the client, at its start and again whenever the server refuses the credentials: files and plugins are then
read anew, which the library by itself does for some kinds of credentials only.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes.client.configuration import Configuration
from kubernetes.config import kube_config
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.incluster_config import InClusterConfigLoader
from kubernetes.utils.keepalive import tcp_keepalive_socket_options

from analyzer.kube.errors import ClusterSettingsError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
POOLED = 100
"""Connections kept open; every watch holds one."""
KEEPALIVE = {"idle": 10, "interval": 5, "count": 3}
"""Seconds, seconds, probes: a peer that vanished without a word is noticed after 25 s even where nothing is sent."""


@dataclass(frozen=True, slots=True)
class Access:
    """A way to a cluster: how it is called in messages, the namespace to use there, and its settings, read anew."""

    where: str
    namespace: str
    configuration: Callable[[], Any]


def find_access(
    kubeconfig: Path | None = None, context: str | None = None, *, account: Path = SERVICE_ACCOUNT
) -> Access:
    """The kubeconfig and context that were named; else, in a pod, its service account; else the usual kubeconfig.

    Raises ClusterSettingsError.
    """
    if kubeconfig is None and context is None and in_cluster(account):
        namespace = own_namespace(account) or "default"
        return Access("the service account of this pod", namespace, lambda: _from_service_account(account))
    files = str(kubeconfig) if kubeconfig is not None else str(kube_config.KUBE_CONFIG_DEFAULT_LOCATION)
    chosen = _chosen(files, context)
    return Access(
        f"kubeconfig {files}, context {chosen['name']}",
        str(chosen["context"].get("namespace") or "default"),
        lambda: _from_kubeconfig(files, str(chosen["name"])),
    )


def in_cluster(account: Path = SERVICE_ACCOUNT) -> bool:
    """Whether this process runs in a pod with a service account."""
    return bool(os.environ.get("KUBERNETES_SERVICE_HOST")) and (account / "token").is_file()


def own_namespace(account: Path = SERVICE_ACCOUNT) -> str | None:
    """The namespace of this pod; None outside of a cluster."""
    try:
        return (account / "namespace").read_text().strip() or None
    except OSError:
        return None


def _chosen(files: str, context: str | None) -> dict[str, Any]:
    """The context to use. What the library says about a missing one does not tell which there are."""
    try:
        merged = kube_config.KubeConfigMerger(files).config
        contexts = [entry.value for entry in merged["contexts"]] if merged is not None else []
        name = context or (merged.safe_get("current-context") if merged is not None else None)
    except (ConfigException, OSError, yaml.YAMLError, TypeError, AttributeError, KeyError) as error:
        raise ClusterSettingsError(f"kubeconfig {files} cannot be read: {error}") from error
    if merged is None:
        raise ClusterSettingsError(
            f"kubeconfig {files} not found, and this is not a pod with a service account; pass --kubeconfig or set "
            "KUBECONFIG"
        )
    known = ", ".join(sorted(str(entry["name"]) for entry in contexts)) or "none"
    for entry in contexts:
        if entry["name"] == name:
            return {"name": name, "context": entry.get("context") or {}}
    wanted = f"has no context {name!r}" if name else "has no current context"
    raise ClusterSettingsError(f"kubeconfig {files} {wanted}; contexts in it: {known}; choose one with --context")


def _from_service_account(account: Path) -> Any:
    configuration = _configuration()
    loader = InClusterConfigLoader(str(account / "token"), str(account / "ca.crt"), environ=os.environ)
    try:
        loader.load_and_set(configuration)
    except (ConfigException, OSError) as error:
        raise ClusterSettingsError(f"cannot use the service account of this pod: {error}") from error
    return configuration


def _from_kubeconfig(files: str, context: str) -> Any:
    configuration = _configuration()
    try:
        kube_config.load_kube_config(files, context, configuration, persist_config=False)
    except (ConfigException, OSError, ValueError, TypeError, AttributeError, KeyError, yaml.YAMLError) as error:
        raise ClusterSettingsError(f"cannot use context {context} of kubeconfig {files}: {error}") from error
    return configuration


def _configuration() -> Any:
    configuration = Configuration(
        retries=False, connection_pool_maxsize=POOLED, socket_options=tcp_keepalive_socket_options(**KEEPALIVE)
    )
    configuration.host = ""
    return configuration
