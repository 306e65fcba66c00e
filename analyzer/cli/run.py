"""`canary-analyzer run`: the daemon on a cluster, until it is stopped."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from analyzer.actuation.lease import LeaseAt
from analyzer.bootstrap import ClusterDaemon, ClusterOptions
from analyzer.cli.kill_switch import kill_switch
from analyzer.cli.version import installed_version
from analyzer.config import ConfigWatch
from analyzer.kube.client import connect, own_namespace
from analyzer.telemetry import configure

DEFAULT_NAMESPACE = "canary-analyzer"
NAMESPACE_VARIABLE = "CANARY_ANALYZER_NAMESPACE"

_EXAMPLES = """Examples:

  canary-analyzer run --config config/                    in a pod, with its ServiceAccount

  canary-analyzer run --config canary.yaml --context dev  outside of the cluster, with a kubeconfig
"""


class LogFormat(StrEnum):
    """How log lines are written."""

    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """Minimum level of log lines."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command(epilog=_EXAMPLES)(run)


def run(  # noqa: PLR0913 (one for each option)
    *,
    config: Annotated[
        list[Path],
        typer.Option("--config", help="File, or folder of *.yaml files; reloaded when it changes. Repeatable."),
    ],
    analyzer_namespace: Annotated[
        str | None,
        typer.Option(
            "--analyzer-namespace",
            envvar=NAMESPACE_VARIABLE,
            help="Namespace for its ConfigMaps and its Lease. "
            f"Default: that of the pod; outside of a cluster {DEFAULT_NAMESPACE}.",
        ),
    ] = None,
    kubeconfig: Annotated[
        Path | None, typer.Option("--kubeconfig", dir_okay=False, help="Path to the kubeconfig file.")
    ] = None,
    context: Annotated[str | None, typer.Option("--context", help="Context of the kubeconfig.")] = None,
    listen: Annotated[
        str, typer.Option("--listen", help="HOST:PORT for /livez, /readyz and /metrics. Default: not served.")
    ] = "",
    log_format: Annotated[LogFormat, typer.Option("--log-format", help="auto: text on a terminal, else JSON.")] = (
        LogFormat.AUTO
    ),
    log_level: Annotated[LogLevel, typer.Option("--log-level", help="Minimum log level.")] = LogLevel.INFO,
) -> None:
    """Run the daemon that releases the configured canary targets, until SIGTERM or Ctrl-C.

    Several may run; the one that holds the leader lease acts, the others stand by.

    Exit status 0 after a signal, 1 if it cannot start: mistakes in the configuration, no cluster, no permission.
    """
    configure(
        sys.stderr,
        logging.getLevelNamesMapping()[log_level.upper()],
        json=None if log_format is LogFormat.AUTO else log_format is LogFormat.JSON,
    )
    address = _address(listen)
    watch = ConfigWatch(config)
    namespace = analyzer_namespace or own_namespace() or DEFAULT_NAMESPACE
    with stopping_signals() as stopping, closing(connect(kubeconfig, context, on_write=kill_switch())) as api:
        daemon = ClusterDaemon(api, watch, ClusterOptions(LeaseAt(namespace), address, installed_version()))
        try:
            daemon.start(stopping)
            stopping.wait()
        finally:
            daemon.stop()


def _address(listen: str) -> tuple[str, int] | None:
    if not listen:
        return None
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise typer.BadParameter(f"expected HOST:PORT such as 0.0.0.0:8080, found {listen!r}", param_hint="--listen")
    return host.strip("[]"), int(port)


@contextmanager
def stopping_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set. A second signal ends the process at once: the Lease then expires."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        stopping.set()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
