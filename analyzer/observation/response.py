"""Reads Prometheus' answers: the JSON envelope, its errors and warnings, and numbers written as text.

Called by `connection`. The client library drops warnings, result types and error bodies, so this is our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import from_json

from analyzer.model.errors import ObservationError

T = TypeVar("T")
SHOWN = 300
"""How many characters of an unexpected answer, or of an error from Prometheus, are shown to the user."""


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, and its samples as (seconds since the epoch, value), in order.

    `native`: it has samples that are native histograms, which are left out.
    """

    labels: Mapping[str, str]
    samples: tuple[tuple[float, float], ...]
    native: bool = False


def decode(status: int, content_type: str, body: bytes) -> Any:
    """The `data` of an answer. Raises ObservationError with Prometheus' own message where there is one."""
    try:
        envelope = from_json(body)  # unlike json it keeps one string for a label that 60,000 series have
    except ValueError as error:
        raise ObservationError(_not_json(status, content_type, body)) from error
    if not isinstance(envelope, dict) or envelope.get("status") not in ("success", "error"):
        raise ObservationError(_not_json(status, content_type, body))
    if envelope["status"] == "error" or status >= 400:  # noqa: PLR2004 - the first of HTTP's errors
        kind = str(envelope.get("errorType", f"HTTP {status}"))
        raise ObservationError(f"Prometheus refused the query ({kind}): {_short(str(envelope.get('error', '')))}")
    if envelope.get("warnings"):
        told = "; ".join(str(warning) for warning in envelope["warnings"])
        raise ObservationError(f"response not used, Prometheus marked it as incomplete: {_short(told)}")
    return envelope.get("data")


def read_series(result: Any) -> tuple[Series, ...]:
    """The series in the `data` of a query: instant vectors, matrices and scalars alike. Raises ObservationError.

    `result` is used up: two forms of a fleet's answer at once would take too much memory.
    """
    try:
        kind, found = result["resultType"], _listed(result["result"])
        match kind:
            case "matrix":
                return tuple(
                    _series(one, one["values"] if "histograms" not in one else one.get("values", ()))
                    for one in used_up(found)
                )
            case "vector":
                return tuple(_series(one, [one["value"]] if "histogram" not in one else ()) for one in used_up(found))
            case "scalar":
                return (Series({}, (_sample(found),)),)
            case _:
                raise ObservationError(f"expected numbers from Prometheus, found a result of type {kind!r}")
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise ObservationError(f"unexpected response from Prometheus: {_short(str(result))}") from error


def used_up(entries: list[T]) -> Iterator[T]:
    """The entries in order; each leaves the list, so that it can be forgotten."""
    entries.reverse()
    while entries:
        yield entries.pop()


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise TypeError(f"expected a list, found {type(found).__name__}")
    return found


def _series(entry: Mapping[str, Any], pairs: Iterable[Any]) -> Series:
    if not isinstance(entry["metric"], dict):
        raise TypeError("expected labels")
    native = "histograms" in entry or "histogram" in entry
    # A fleet's answer has 100,000 series: a call for each sample would cost more than to read it.
    return Series(entry["metric"], tuple([(float(when), float(value)) for when, value in pairs]), native)


def _sample(pair: Any) -> tuple[float, float]:
    when, value = pair
    return float(when), float(value)  # float() reads "NaN", "+Inf" and "-Inf" as Prometheus writes them


def _not_json(status: int, content_type: str, body: bytes) -> str:
    if status in (401, 403):
        return (
            f"Prometheus refused the credentials (HTTP {status}); check basic_auth or authorization under `prometheus`"
        )
    text = _short(body.decode("utf-8", errors="replace"))
    return (
        f"expected JSON from Prometheus, found HTTP {status} with {content_type or 'no content type'}: {text!r}; "
        f"check that prometheus.url is that of Prometheus itself, with its path prefix if it has one"
    )


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= SHOWN else flat[:SHOWN] + "..."
