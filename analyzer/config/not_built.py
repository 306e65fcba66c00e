"""Keys that are planned and not supported yet: refused by name. Who builds one deletes its line here."""

from __future__ import annotations

from analyzer.config.place import KeyPath

_RECEIVER = "use `webhook` or `log`"
_OMIT = "remove it"

_KEYS = {
    "prometheus.oauth2": "use `authorization` or `basic_auth`",
    "prometheus.tls_config": "use a URL whose certificate the system trusts",
    "prometheus.proxy_url": "set HTTPS_PROXY in the daemon's environment",
    "alerts.receivers[].slack": _RECEIVER,
    "alerts.receivers[].alertmanager": _RECEIVER,
    "alerts.receivers[].pagerduty": _RECEIVER,
    "alerts.receivers[].teams": _RECEIVER,
    "alerts.receivers[].email": _RECEIVER,
    "alerts.receivers[].apprise": _RECEIVER,
    "alerts.resolveAfter": _OMIT,
    "groups": "list each canary",
    "windows": "use `freeze`",
    "analysis.metrics[].histogram.native": "give `buckets`, the `_bucket` series of a classic histogram",
}

_VALUES = {
    ("strategy", "recreate"): "use `canary`",
    ("strategy", "rolling"): "use `canary`",
    ("strategy", "blueGreen"): "use `canary`",
}


def not_built(path: KeyPath, value: object = None) -> str | None:
    """The message for a key, or a key's value, that is not supported yet; None for any other."""
    known = _generic(path)
    if known in _KEYS:
        return f"not supported yet: {_KEYS[known]}"
    if isinstance(value, str) and (known, value) in _VALUES:
        return f"{value!r} is not supported yet: {_VALUES[known, value]}"
    return None


def _generic(path: KeyPath) -> str:
    """`canaries[3].plan.x` and `defaults.plan.x` are both `plan.x`."""
    text = ""
    for part in path:
        text += "[]" if isinstance(part, int) else f".{part}" if text else part
    return text.removeprefix("canaries[].").removeprefix("defaults.")
