"""The metrics of an answer: one comparison each, and with `--details` the technical values behind it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator

from analyzer.model.duration import show_duration
from analyzer.model.numbers import number, percent, times
from analyzer.record.explanation.text import Json, capital, listed, sentence

_SIDES = re.compile(r"\b(canary|stable)\b(?= [\d<>~])")
"""A side's name before its number."""

_FORECAST = re.compile(r", (?:about \S+ more|not reachable)(?: at present traffic)?")


def comparisons(metrics: Iterable[Json], status: Json) -> list[str]:
    """A line for each metric; one for those of which there is the same to say."""
    said: dict[str, list[str]] = {}
    for metric in metrics:
        said.setdefault(_said(metric, status), []).append(metric["name"])
    return [f"{listed(names)}: {text}" for text, names in said.items()]


def _said(metric: Json, status: Json) -> str:
    """What the judge says about one metric, without its name."""
    text = str(metric["reason"]).removeprefix(f"{metric['name']}: ")
    text = _FORECAST.sub("", text) if status["outcome"] else text
    silent = metric.get("silentPods")
    return sentence(_renamed(text, status)) + (f" No series from {listed(silent)}." if silent else "")


def noise_floor(status: Json) -> str | None:
    """What the metrics' own noise hides while they are not decided; None where that is nothing or not known."""
    pods = status["replicas"]["canary"]["requested"]
    if status["phase"] not in ("PROGRESSING", "PAUSED") or not pods:
        return None
    hidden = [one for one in status["metrics"] if one["classification"] == "UNDECIDED" and one.get("noiseNote")]
    notes = {one["noiseNote"] for one in hidden}
    if len(notes) <= 1:
        return sentence(capital(notes.pop())) if notes else None
    visible = {one["name"]: one["smallestVisible"] for one in hidden}
    rises = [f"{times(ratio)} ({name})" for name, ratio in visible.items() if ratio >= 1]
    drops = [f"{times(ratio)} ({name})" for name, ratio in visible.items() if ratio < 1]
    kinds = (("differences below", rises), ("drops to more than", drops))
    below = listed([f"{kind} {listed(found)}" for kind, found in kinds if found])
    return (
        f"With {pods} canary pod{'' if pods == 1 else 's'}, {below} cannot be told from normal variation between pods."
    )


def technical(metric: Json, status: Json) -> Iterator[str]:
    """The values that the glossary defines, one line each."""
    yield from _evidence(metric)
    yield from _noise(metric)
    if metric.get("boundary"):
        yield f"boundary: {metric['boundary']}"
    if metric["logEvidence"]:
        yield f"lane: {metric.get('lane') or 'main'}"
    if metric["secondsToPromote"] is not None and not status["outcome"]:
        yield f"time to promote: about {show_duration(metric['secondsToPromote'])} at present traffic"
    if metric.get("query"):
        yield f"query: {metric['query']}"


def _renamed(text: str, status: Json) -> str:
    """A bake does not compare the canary with stable: its sides have names of their own."""
    names = status.get("compared")
    return _SIDES.sub(lambda side: str(names[side[1]]), text) if names else text


def _evidence(metric: Json) -> Iterator[str]:
    log, progress = metric["logEvidence"], metric.get("evidence") or {}
    if not log:
        return
    for name, label, at, error in (
        ("abort", "abort evidence", "abortAt", "false abort"),
        ("promote", "promotion evidence", "promoteAt", "false promote"),
        ("advance", "evidence to advance", "promoteAt", None),
    ):
        if log.get(name) is None:
            continue
        share = f" {percent(progress[name])}" if name in progress else ""
        threshold = "" if log[at] is None else f" of {log[at]:.2f}{_level(log[at], error)}"
        yield f"{label}{share}: log evidence {log[name]:.2f}{threshold}"


def _level(threshold: float, error: str | None) -> str:
    return f" ({error} {percent(math.exp(-threshold))})" if error else ""


def _noise(metric: Json) -> Iterator[str]:
    noise, visible = metric.get("noise"), metric.get("smallestVisible")
    if noise:
        parts = [f"pod spread {number(noise['podSpread'])}"]
        if not metric.get("levels"):
            parts.insert(0, f"dispersion {number(noise['dispersion'])}")
        if metric.get("levels") or not metric["canary"]["total"]:
            parts.append(f"within-pod noise {number(noise['withinPod'])}")
        yield f"noise: {', '.join(parts)} ({noise['source']})"
    if visible:
        yield f"smallest visible ratio: {times(visible)}"
