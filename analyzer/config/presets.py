"""Metrics by name: the series that a preset stands for. Called by `build_metrics`; described in docs/presets.md."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.config.keys_presets import (
    CpuKeys,
    HttpErrorsKeys,
    HttpFlavor,
    HttpLatencyKeys,
    MemoryKeys,
    ResourceFlavor,
)
from analyzer.promql import Matcher, MatchOperator, Selector, with_matchers


@dataclass(frozen=True, slots=True)
class _Requests:
    """Names that a library gives to its requests."""

    counter: str
    code_label: str
    codes: str
    buckets: str


_SERVER_ERRORS = "5.."

_BLAME_THE_SERVER = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"
"""The gRPC codes that OpenTelemetry's conventions count as errors of a server."""

_REQUESTS = {
    HttpFlavor.COMMON: _Requests("http_requests_total", "code", _SERVER_ERRORS, "http_request_duration_seconds_bucket"),
    HttpFlavor.MICROMETER: _Requests(
        "http_server_requests_seconds_count", "status", _SERVER_ERRORS, "http_server_requests_seconds_bucket"
    ),
    HttpFlavor.OPENTELEMETRY: _Requests(
        "http_server_request_duration_seconds_count",
        "http_response_status_code",
        _SERVER_ERRORS,
        "http_server_request_duration_seconds_bucket",
    ),
    HttpFlavor.GRPC: _Requests(
        "grpc_server_handled_total", "grpc_code", _BLAME_THE_SERVER, "grpc_server_handling_seconds_bucket"
    ),
}

_CPU = {
    ResourceFlavor.PROCESS: "process_cpu_seconds_total",
    ResourceFlavor.CONTAINER: "container_cpu_usage_seconds_total",
}

_MEMORY = {
    ResourceFlavor.PROCESS: "process_resident_memory_bytes",
    ResourceFlavor.CONTAINER: "container_memory_working_set_bytes",
}


def http_errors(keys: HttpErrorsKeys) -> tuple[str, str]:
    """Selectors of failed requests and of all requests."""
    names = _REQUESTS[keys.flavor]
    total = _series(keys.series or names.counter)
    failed = Matcher(keys.code_label or names.code_label, MatchOperator.MATCHES, keys.codes or names.codes)
    return str(with_matchers(total, [failed])), str(total)


def http_latency(keys: HttpLatencyKeys) -> str:
    """Selector of the histogram's buckets."""
    return str(_series(keys.series or _REQUESTS[keys.flavor].buckets))


def cpu(keys: CpuKeys) -> str:
    """Selector of a counter of CPU seconds."""
    return _of_containers(keys.series or _CPU[keys.flavor], keys.flavor)


def memory(keys: MemoryKeys) -> str:
    """Selector of a gauge of bytes."""
    return _of_containers(keys.series or _MEMORY[keys.flavor], keys.flavor)


def _series(name: str) -> Selector:
    return Selector((Matcher.named(name),))


def _of_containers(series: str, flavor: ResourceFlavor) -> str:
    """The kubelet exports a pod's sum and its pause container too; with them everything would count twice."""
    if flavor is ResourceFlavor.PROCESS:
        return str(_series(series))
    only = [Matcher("container", MatchOperator.NOT_EQUAL, ""), Matcher("container", MatchOperator.NOT_EQUAL, "POD")]
    return str(with_matchers(_series(series), only))
