"""A guard's query at the ends of blocks, as readings. Called by `collection`."""

from __future__ import annotations

import math

from analyzer.model.block import GuardReading, NoData
from analyzer.model.errors import ObservationError
from analyzer.observation.connection import PrometheusConnection
from analyzer.observation.edges import Edges


def read(connection: PrometheusConnection, query: str, edges: Edges) -> dict[int, GuardReading]:
    """The query's value at the end of each block between the edges, by block number. Raises ObservationError."""
    if edges.first >= edges.last:
        return {}
    first, last = edges.at(edges.first + 1) / 1000, edges.at(edges.last) / 1000
    found: dict[int, list[float]] = {}
    for series in connection.range(query, first, last, edges.timing.block):
        if series.native:
            raise ObservationError("query: expected a number, found a histogram; use histogram_quantile(...)")
        for when, value in series.samples:
            found.setdefault(round(when * 1000), []).append(value)
    return {
        index: GuardReading(index, _one(found.get(edges.at(index + 1), []))) for index in range(edges.first, edges.last)
    }


def _one(values: list[float]) -> float | NoData:
    match values:
        case []:
            return NoData("the query returned nothing")
        case [value] if math.isnan(value):
            return NoData("the query returned NaN (a division of zero by zero, for example)")
        case [value]:
            return value
        case _:
            return NoData(f"query: expected one series, found {len(values)}; add them up, for example with sum(...)")
