"""What `why` says: the last verdict on a target in words and numbers, from its status document alone. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analyzer.model.duration import show_duration

Json = Mapping[str, Any]


def explain(status: Json) -> str:
    """Several lines: where the release stands and why, then each metric's counts, rates, comparison and evidence."""
    lines = [_headline(status), f"  {status['action']}: {status['reason']}"]
    lines += _stops(status)
    lines += [_replicas(status)] if status["release"] else []
    for metric in status["metrics"]:
        lines += _metric(metric)
    if status["release"] and not status["metrics"]:
        lines.append("  Nothing was judged at the last look.")
    lines += [f"  warning: {warning}" for warning in status["warnings"]]
    answer = last_answer(status)
    lines += [f"  {answer}"] if answer else []
    lines.append(f"  as of {status['updatedAt']}")
    return "\n".join(lines)


def last_answer(status: Json) -> str | None:
    """What became of an operator's latest request; None before the first."""
    answered = status.get("executedCommands")
    if not answered:
        return None
    latest = answered[-1]
    fate = "carried out" if latest["accepted"] else "refused"
    return f"latest request {latest['id']} ({latest['verb']}) was {fate}: {latest['answer']}"


def _headline(status: Json) -> str:
    text = f"{status['target']} ({status['namespace']}) is {status['phase']} since {status['since']}"
    if status["release"] is None:
        return text + (": unmanaged, replicas are left alone" if status["unmanaged"] else "")
    text += f": release {status['release']} (version {status['version']})"
    if status["outcome"]:
        return f"{text} ended {status['outcome']}"
    return f"{text}, step {status['step']} of {status['steps']}, weight {status['weight']} %"


def _stops(status: Json) -> list[str]:
    lines = []
    if status["cause"]:
        culprit = f" by {status['cause']['culprit']}" if status["cause"]["culprit"] else ""
        lines.append(f"  given up ({status['cause']['kind']}{culprit}): {status['cause']['reason']}")
    if status["pause"]:
        pause = status["pause"]
        lines.append(f"  paused ({pause['kind']}) since {pause['since']}: {pause['reason']}")
    return lines


def _replicas(status: Json) -> str:
    sides = [
        f"{name} {side['deployment']} {_shown(side['available'])} of {_shown(side['requested'])} available"
        for name, side in status["replicas"].items()
    ]
    share = status["observedShare"]
    served = f"; the canary serves {share:.1%} of the requests" if share is not None else ""
    return f"  {', '.join(sides)}{served}"


def _metric(metric: Json) -> list[str]:
    lines = [f"  {metric['name']}: {metric['classification']}: {metric['reason']}"]
    if metric["canary"]["total"] or metric["stable"]["total"]:
        lines.append(f"    canary {_rate(metric['canary'])}, stable {_rate(metric['stable'])}{_comparison(metric)}")
    elif levels := metric.get("levels"):
        lines.append(f"    canary {_level(levels['canary'])}, stable {_level(levels['stable'])}{_comparison(metric)}")
    if metric["logEvidence"]:
        lines.append(f"    {_evidence(metric['logEvidence'])}{_remaining(metric)}")
    if metric["silentPods"]:
        lines.append(f"    without series: {', '.join(metric['silentPods'])}")
    return lines


def _rate(counts: Json) -> str:
    text = f"{counts['events']:,} of {counts['total']:,}"
    return f"{text} ({counts['events'] / counts['total']:.2%})" if counts["total"] else text


def _level(level: float) -> str:
    return f"{level:,.0f}" if level >= 1000 else f"{level:g}"  # noqa: PLR2004 - from there on digits in threes


def _comparison(metric: Json) -> str:
    if metric["ratio"] is None:
        return ""
    text = f"; ratio {metric['ratio']:.2f}"
    if metric["interval"]:
        low, high = ("unbounded" if end is None else f"{end:.2f}" for end in metric["interval"])
        text += f" (interval {low} to {high})"
    return text


def _evidence(evidence: Json) -> str:
    return (
        f"log evidence to abort {evidence['abort']:.2f} of {evidence['abortAt']:.2f}, "
        f"to promote {evidence['promote']:.2f} of {evidence['promoteAt']:.2f}"
    )


def _remaining(metric: Json) -> str:
    if metric["proven"]:
        return "; proven"
    seconds = metric["secondsToPromote"]
    return "" if seconds is None else f"; about {show_duration(seconds)} to proof at present traffic"


def _shown(number: int | None) -> str:
    return "?" if number is None else str(number)
