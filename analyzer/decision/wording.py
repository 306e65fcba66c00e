"""Phrases and joints that the texts of several rules share."""

from __future__ import annotations

from analyzer.model.workload import Workload


def then(first: str, second: str) -> str:
    """Two texts as one, nothing twice. Where `first` ends with what `second` is about ("step 2 of 3: ..."), the text
    goes on from there."""
    if not first or second in first:
        return first or second
    about, _, rest = second.partition(": ")
    if rest and first.endswith(about):
        return f"{first}: {rest}"
    return f"{first.rstrip('.')}; {second}"


def writer_of(workload: Workload, field: str) -> str:
    """The client that last wrote "replicas" or "template", by the name of its field manager."""
    return workload.writers.get(field, "another client")


def counted(number: int, noun: str) -> str:
    """A number of things: "1 canary pod", "2 canary pods"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def availability(workload: Workload) -> str:
    """How complete a side is: "7 of 10 pods available"."""
    return f"{workload.available} of {counted(workload.replicas, 'pod')} available"


def replacement(stable: Workload, canary: Workload) -> str:
    """How far stable has come up again, and the canary gone."""
    return f"stable {availability(stable)}, {counted(canary.current, 'canary pod')} left"
