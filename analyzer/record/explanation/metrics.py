"""The metrics of an answer: one comparison each, and with `--details` the technical values behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from analyzer.model.duration import show_duration
from analyzer.model.noise import hidden_by_noise, hidden_kind
from analyzer.model.numbers import number, percent, times
from analyzer.model.status_document import StatusDocument
from analyzer.model.verdict_document import MetricDocument
from analyzer.record.explanation.text import capital, listed, sentence

_SIDES = re.compile(r"\b(canary|stable)\b(?= [\d<>~])")
"""A side's name before its number."""

_FORECAST = re.compile(r", (?:about \S+ more|not reachable)(?: at present traffic)?")


def comparisons(metrics: Iterable[MetricDocument], status: StatusDocument) -> list[str]:
    """A line for each metric; one for those of which there is the same to say."""
    said: dict[str, list[str]] = {}
    for metric in metrics:
        said.setdefault(_said(metric, status), []).append(metric.name)
    return [f"{listed(names)}: {text}" for text, names in said.items()]


def _said(metric: MetricDocument, status: StatusDocument) -> str:
    """What the judge says about one metric, without its name."""
    text = metric.reason.removeprefix(f"{metric.name}: ")
    text = _FORECAST.sub("", text) if status.outcome else text
    silent = f" No series from {listed(metric.silent_pods)}." if metric.silent_pods else ""
    return sentence(_renamed(text, status)) + silent


def noise_floor(status: StatusDocument) -> str | None:
    """What the metrics' own noise hides while they are not decided; None where that is nothing or not known."""
    pods = status.replicas.canary.requested
    if not status.phase.in_steps or not pods:
        return None
    hidden = {
        one.name: (one.noise_note, one.smallest_visible)
        for one in status.metrics
        if one.classification == "UNDECIDED" and one.noise_note and one.smallest_visible
    }
    notes = {note for note, _ in hidden.values()}
    if len(notes) <= 1:
        return sentence(capital(notes.pop())) if notes else None
    rises = [f"{times(ratio)} ({name})" for name, (_, ratio) in hidden.items() if ratio >= 1]
    drops = [f"{times(ratio)} ({name})" for name, (_, ratio) in hidden.items() if ratio < 1]
    kinds = ((hidden_kind(down=False), rises), (hidden_kind(down=True), drops))
    below = listed([f"{kind} {listed(found)}" for kind, found in kinds if found])
    return sentence(f"With {hidden_by_noise(pods, below)}")


def technical(metric: MetricDocument, status: StatusDocument) -> Iterator[str]:
    """The values that the glossary defines, one line each."""
    yield from _evidence(metric)
    yield from _noise(metric)
    if metric.boundary:
        yield f"boundary: {metric.boundary}"
    if metric.log_evidence:
        yield f"lane: {metric.lane}"
    if metric.seconds_to_promote is not None and not status.outcome:
        yield f"time to promote: about {show_duration(metric.seconds_to_promote)} at present traffic"
    if metric.query:
        yield f"query: {metric.query}"


def _renamed(text: str, status: StatusDocument) -> str:
    """A bake does not compare the canary with stable: its sides have names of their own."""
    names = status.compared
    return _SIDES.sub(lambda side: getattr(names, side[1]), text) if names else text


def _evidence(metric: MetricDocument) -> Iterator[str]:
    log, progress = metric.log_evidence, metric.evidence
    if log is None:
        return
    for label, value, reached, at, error in (
        ("abort evidence", log.abort, progress.abort if progress else None, log.abort_at, "false abort"),
        ("promotion evidence", log.promote, progress.promote if progress else None, log.promote_at, "false promote"),
        ("evidence to advance", log.advance, progress.advance if progress else None, log.promote_at, None),
    ):
        if value is None:
            continue
        share = "" if reached is None else f" {percent(reached)}"
        threshold = "" if at is None else f" of {at:.2f}{_level(at, error)}"
        yield f"{label}{share}: log evidence {value:.2f}{threshold}"


def _level(threshold: float, error: str | None) -> str:
    return f" ({error} {percent(math.exp(-threshold))})" if error else ""


def _noise(metric: MetricDocument) -> Iterator[str]:
    noise, visible = metric.noise, metric.smallest_visible
    if noise:
        parts = [f"pod spread {number(noise.pod_spread)}"]
        if not metric.levels:
            parts.insert(0, f"dispersion {number(noise.dispersion)}")
        if metric.levels or not metric.canary.total:
            parts.append(f"within-pod noise {number(noise.within_pod)}")
        yield f"noise: {', '.join(parts)} ({noise.source})"
    if visible:
        yield f"smallest visible ratio: {times(visible)}"
