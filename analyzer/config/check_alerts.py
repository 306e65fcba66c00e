"""Receivers, routes and log-ins that contradict themselves or each other. Called by `load`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from analyzer.config.check_plan import Mistake
from analyzer.config.explain import did_you_mean
from analyzer.config.keys_file import AlertsKeys, PrometheusKeys, ReceiverKeys


def alert_mistakes(keys: AlertsKeys, targets: Collection[str] | None) -> Iterator[Mistake]:
    """Every contradiction; paths begin below `alerts`. `targets` None: their names are not all known."""
    names: list[str] = []
    for index, receiver in enumerate(keys.receivers):
        here = ("receivers", index)
        if receiver.name in names:
            yield ((*here, "name"), f"duplicate receiver name {receiver.name!r}; rename one")
        names.append(receiver.name)
        for path, message in _receiver(receiver):
            yield ((*here, *path), message)
    for index, route in enumerate(keys.routes):
        for number, name in enumerate(route.receivers):
            if name not in names:
                yield (("routes", index, "receivers", number), f"unknown receiver {_unknown(name, names)}")
        for number, name in enumerate(route.match.target):
            if targets is not None and name not in targets:
                yield (
                    ("routes", index, "match", "target", number),
                    f"unknown canary {_unknown(name, targets)}",
                )


def _receiver(receiver: ReceiverKeys) -> Iterator[Mistake]:
    kinds = [kind for kind in ("webhook", "log") if getattr(receiver, kind) is not None]
    if len(kinds) != 1:
        yield ((), f"expected exactly one of webhook, log, found {' and '.join(kinds) or 'none'}")
    if receiver.webhook:
        yield from _one_of(("webhook",), url=receiver.webhook.url, urlFile=receiver.webhook.url_file)


def login_mistakes(keys: PrometheusKeys) -> Iterator[Mistake]:
    """Log-ins to Prometheus that contradict each other; paths begin below `prometheus`."""
    basic, token = keys.basic_auth, keys.authorization
    if basic:
        yield from _one_of(("basic_auth",), password=basic.password, password_file=basic.password_file)
    if token:
        yield from _one_of(("authorization",), credentials=token.credentials, credentials_file=token.credentials_file)
        if token.type.lower() == "basic":
            yield (("authorization", "type"), "for a user name and password use `basic_auth`")
    if basic and token:
        yield (("authorization",), "given together with `basic_auth`; remove one of them")
    for name in keys.headers:
        if name.lower() == "authorization":
            yield (("headers", name), "use `basic_auth` or `authorization`, which can read the secret from a file")


def _one_of(path: tuple[str, ...], **values: object) -> Iterator[Mistake]:
    given = [name for name, value in values.items() if value is not None]
    if len(given) != 1:
        yield (path, f"expected exactly one of {', '.join(values)}, found {' and '.join(given) or 'none'}")


def _unknown(name: str, known: Collection[str]) -> str:
    return f"{name!r}{did_you_mean(name, known)}"
