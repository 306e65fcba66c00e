"""The command: starts the shop, plays the releases one after the other, shows how each ended."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from threading import Event
from types import FrameType
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from analyzer import bootstrap
from analyzer.cli.demo.live import LiveView
from analyzer.cli.demo.progress import ProgressLines
from analyzer.cli.demo.result import Played, as_json, as_table, in_words
from analyzer.cli.demo.story import Storyteller
from analyzer.cli.errors import ExitCode
from analyzer.config import Configuration, load
from analyzer.model.errors import SandboxError
from analyzer.ports import Reporter
from analyzer.record import FileStore
from analyzer.sandbox.service import tally
from analyzer.sandbox.shop import ROLES, ReleaseKind, Shop, ShopSettings
from analyzer.telemetry import LogReporter, configure

_LONGEST = 240.0  # seconds that one release may take before the demo calls it unfinished
_DELIVERY = 10.0  # seconds that an abort alert may take to arrive
_ABORTED = "canary-analyzer.aborted"
_FIRST_SIGHT = 20.0  # seconds until the daemon must have seen the Deployments
_POLL = 0.05
_COUNTED = 1.2  # seconds until the traffic program has reported what happened up to now

_EXAMPLES = """
Examples:

  canary-analyzer demo                         a good release, then a bad one

  canary-analyzer demo --release crash-loop    a version whose pods crash

  canary-analyzer demo --release all --json    all kinds; the result as JSON on stdout

  canary-analyzer demo --keep                  keep it running for status, why and history
"""
_LOG = "daemon.log"


@dataclass(frozen=True, slots=True)
class Stage:
    """What is running while releases are played; `title` names the release on the screen."""

    shop: Shop
    story: Storyteller
    title: Callable[[str], None]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo", epilog=_EXAMPLES)(demo)


def demo(
    *,
    release: Annotated[
        str, typer.Option(help=f"Kind of release: {', '.join(ReleaseKind)} or all; default: good, then bad.")
    ] = "",
    seed: Annotated[int, typer.Option(help="Seed of the traffic and of the shop's errors.")] = 1,
    rps: Annotated[float, typer.Option(min=1, max=2000, help="Requests per second.")] = 400.0,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it running until Ctrl-C.")] = False,
    only_json: Annotated[bool, typer.Option("--json", help="Only the result on stdout, as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="The daemon's own log on stderr instead of the view or progress lines.")
    ] = False,
) -> None:
    """Release versions of a small web shop on this machine: real processes, real traffic, a real Prometheus.

    By default a healthy version, which is promoted, and then one with three times the errors, which is aborted with
    an alert. Exit status: 0 when every release ended as expected, 2 when not, 1 on an error.
    """
    kinds = _kinds(release)
    began = time.monotonic()
    screen = Console(stderr=only_json)
    with _terminated_like_interrupted(), ExitStack() as stack:
        stage = set_stage(stack, ShopSettings(seed=seed, rps=rps), screen, verbose=verbose)
        if keep:
            _print_addresses(stage.shop)
        played = []
        for kind in kinds:
            played.append(play(stage, kind))
            screen.print(in_words(played[-1]), highlight=False)
        prometheus = stage.shop.prometheus.version
        if keep:
            _keep(stage.shop)
    if only_json:
        releases = [as_json(one) for one in played]
        seconds = round(time.monotonic() - began, 1)
        sys.stdout.write(f"{json.dumps({'releases': releases, 'prometheus': prometheus, 'seconds': seconds})}\n")
    else:
        screen.print(as_table(played))
    raise typer.Exit(ExitCode.DONE if all(one.right for one in played) else ExitCode.ABORTED)


def _kinds(release: str) -> Sequence[ReleaseKind]:
    if release == "all":
        return tuple(ReleaseKind)
    if not release:
        return ReleaseKind.GOOD, ReleaseKind.BAD
    try:
        return (ReleaseKind(release),)
    except ValueError as error:
        expected = ", ".join([*ReleaseKind, "all"])
        raise typer.BadParameter(f"expected one of {expected}, found {release!r}", param_hint="--release") from error


def set_stage(
    stack: ExitStack, settings: ShopSettings, screen: Console, watcher: Reporter | None = None, *, verbose: bool = False
) -> Stage:
    """Start everything; what was started ends with `stack`. `watcher` gets every decision too."""
    view = LiveView(screen) if screen.is_terminal and not verbose else None
    sys.stderr.write("Starting 10 pods, traffic and Prometheus (downloaded the first time) ...\n")
    shop = stack.enter_context(Shop(settings))
    _configure_log(shop.directory, stack, verbose=verbose)
    story = Storyteller()
    lines = ProgressLines(sys.stderr.write) if view is None and not verbose else None
    reporters: list[Reporter] = [LogReporter(), story]
    reporters += [one for one in (watcher, view, lines) if one is not None]
    store = FileStore(shop.directory / "documents")
    world = bootstrap.World(shop.workloads, store, reporters=reporters, status_every=timedelta(seconds=1))
    daemon = bootstrap.daemon(_configuration(shop), world)
    stack.enter_context(view or nullcontext())
    stack.callback(daemon.stop)
    daemon.start()
    _await_first_sight(store)
    return Stage(shop, story, view.announce if view is not None else _announce_on_stderr)


def _configure_log(folder: Path, stack: ExitStack, *, verbose: bool) -> None:
    """The daemon's log: on stderr where it was asked for, else in a file beside the documents."""
    if verbose:
        configure(sys.stderr)
        return
    log = stack.enter_context((folder / _LOG).open("w", encoding="utf-8"))
    stack.callback(configure, sys.stderr, logging.WARNING)
    configure(log)


def _configuration(shop: Shop) -> Configuration:
    """The configuration file of the demo with the addresses filled in, read as any other."""
    text = (files(__package__) / "shop.yaml").read_text(encoding="utf-8")
    text = text.replace("PROMETHEUS_URL", shop.prometheus.url).replace("RECEIVER_URL", shop.receiver.url)
    path = shop.directory / "shop.yaml"
    path.write_text(text, encoding="utf-8")
    return load([path])


def _await_first_sight(store: FileStore) -> None:
    """A release starts with a change of the template: the daemon must have seen the one before."""
    deadline = time.monotonic() + _FIRST_SIGHT
    while store.load("shop") is None:
        if time.monotonic() > deadline:
            raise SandboxError(
                f"expected the daemon to see the shop within {_FIRST_SIGHT:g} s; is the machine overloaded?"
            )
        time.sleep(_POLL)


def _announce_on_stderr(title: str) -> None:
    sys.stderr.write(f"Playing {title} ...\n")


def play(stage: Stage, kind: ReleaseKind) -> Played:
    """One release from the new template to its end."""
    shop = stage.shop
    began = time.monotonic()
    stage.title(f"the {kind.value} release")
    version = shop.release(kind)
    story = stage.story.follow(_template_hash(shop))
    stage.story.wait(_LONGEST)
    seconds = time.monotonic() - began
    release = story.release.id if story.release else ""
    aborted = story.outcome == "aborted"
    alerts = _abort_alerts(shop, release, wait=aborted)
    time.sleep(_COUNTED)
    return Played(kind, story, tally(shop.service.counts, version=version), alerts, seconds)


def _template_hash(shop: Shop) -> str:
    canary = shop.workloads.workload(ROLES.canary)
    if canary is None:
        raise SandboxError(f"the sandbox lost its Deployment {ROLES.canary}")
    return canary.template.hash


def _abort_alerts(shop: Shop, release: str, *, wait: bool) -> int:
    """How many aborts the receiver was alerted of; an alert and its update have one key."""
    deadline = time.monotonic() + (_DELIVERY if wait else 0.0)
    while True:
        about = [alert.body["data"] for alert in shop.receiver.alerts if alert.body["type"] == _ABORTED]
        ours = [data for data in about if data["release"] == release]
        if any(data["details"].get("status") == "aborted" for data in ours) or time.monotonic() >= deadline:
            return len({data["key"] for data in ours})
        time.sleep(_POLL)


def _print_addresses(shop: Shop) -> None:
    """Where everything is while it runs."""
    command = Path(os.path.relpath(Path(sys.executable).with_name("canary-analyzer")))
    sys.stderr.write(f"Prometheus:  {shop.prometheus.url}\n")
    sys.stderr.write(f"Daemon log:  {shop.directory / _LOG}\n")
    sys.stderr.write(f"Try:         {command} why --state-dir {shop.directory / 'documents'}\n")


def _keep(shop: Shop) -> None:
    _print_addresses(shop)
    sys.stderr.write("Running until Ctrl-C ...\n")
    try:
        Event().wait()
    except KeyboardInterrupt:
        sys.stderr.write("Stopping ...\n")


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """SIGTERM cleans up as Ctrl-C does."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
