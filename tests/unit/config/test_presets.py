"""The series that a preset stands for. The page about presets shows what is accepted, and names those series."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from analyzer.config.presets import HttpFlavor, ResourceFlavor
from tests.unit.config.sources import CANARY, PROMETHEUS, load_text, metrics_of

PAGE = (Path(__file__).parents[3] / "docs" / "presets.md").read_text()
INLINE = re.findall(r"`(\{preset: [^`]*\})`", PAGE)


@pytest.mark.parametrize("metric", INLINE)
def test_every_preset_that_is_shown_is_accepted(tmp_path: Path, metric: str) -> None:
    metrics = f"{{preset: http-errors, name: proven}}, {metric}"
    load_text(tmp_path, PROMETHEUS + CANARY.replace("{preset: http-errors}", metrics))


@pytest.mark.parametrize(
    ("preset", "flavor"),
    [
        *((preset, flavor) for preset in ("http-errors", "http-latency") for flavor in HttpFlavor),
        *((preset, flavor) for preset in ("cpu", "memory") for flavor in ResourceFlavor),
    ],
)
def test_the_series_of_every_flavor_are_named(tmp_path: Path, preset: str, flavor: str) -> None:
    metrics = f"{{preset: http-errors, name: proven}}, {{preset: {preset}, flavor: {flavor}}}"
    (_, metric) = (
        load_text(tmp_path, PROMETHEUS + CANARY.replace("{preset: http-errors}", metrics)).targets[0].analysis.metrics
    )
    asked = {"ratio": "total", "histogram": "buckets", "gauge": "value"}[metric.kind]
    series = str(getattr(metric, asked)).partition("{")[0]
    assert re.search(rf"^\|.*`{flavor}`.*`{series}`", PAGE, re.MULTILINE)


def test_a_preset_takes_other_names_of_series_and_labels(tmp_path: Path) -> None:
    preset = '{preset: http-errors, series: app:requests:total, codeLabel: status, codes: "5..|42[9]\\\\d"}'
    text = PROMETHEUS + CANARY.replace("{preset: http-errors}", preset)
    (metric,) = load_text(tmp_path, text).targets[0].analysis.metrics
    assert metric.kind == "ratio"
    assert metric.total == "app:requests:total"
    assert metric.events == r'app:requests:total{status=~"5..|42[9]\\d"}'


@pytest.mark.parametrize(
    ("preset", "events", "total"),
    [
        ("flavor: common", 'http_requests_total{code=~"5.."}', "http_requests_total"),
        (
            "flavor: micrometer",
            'http_server_requests_seconds_count{status=~"5.."}',
            "http_server_requests_seconds_count",
        ),
        (
            "flavor: micrometer, codeLabel: outcome, codes: SERVER_ERROR",
            'http_server_requests_seconds_count{outcome=~"SERVER_ERROR"}',
            "http_server_requests_seconds_count",
        ),
        (
            "flavor: opentelemetry",
            'http_server_request_duration_seconds_count{http_response_status_code=~"5.."}',
            "http_server_request_duration_seconds_count",
        ),
        (
            "flavor: grpc",
            'grpc_server_handled_total{grpc_code=~"Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"}',
            "grpc_server_handled_total",
        ),
    ],
)
def test_errors_are_counted_as_each_library_names_them(tmp_path: Path, preset: str, events: str, total: str) -> None:
    (metric,) = metrics_of(tmp_path, f"{{preset: http-errors, {preset}}}")
    assert metric.kind == "ratio"
    assert (metric.events, metric.total) == (events, total)


@pytest.mark.parametrize(
    ("preset", "buckets"),
    [
        ("objective: 250ms", "http_request_duration_seconds_bucket"),
        ("flavor: micrometer", "http_server_requests_seconds_bucket"),
        ("flavor: opentelemetry", "http_server_request_duration_seconds_bucket"),
        ("flavor: grpc", "grpc_server_handling_seconds_bucket"),
        (
            "series: http_server_duration_milliseconds_bucket, objective: 250",
            "http_server_duration_milliseconds_bucket",
        ),
    ],
)
def test_latency_is_read_from_each_librarys_histogram(tmp_path: Path, preset: str, buckets: str) -> None:
    (metric,) = metrics_of(tmp_path, f"{{preset: http-latency, {preset}}}")
    assert metric.kind == "histogram"
    assert metric.buckets == buckets


def test_an_objective_is_seconds_or_a_number_as_in_le(tmp_path: Path) -> None:
    written = ("250ms", "1m30s", "250", "0.5")
    metrics = metrics_of(
        tmp_path, *(f"{{name: n{at}, preset: http-latency, objective: {it}}}" for at, it in enumerate(written))
    )
    assert [metric.objective for metric in metrics if metric.kind == "histogram"] == [0.25, 90, 250, 0.5]


def test_containers_are_measured_without_their_pods_sum_and_pause_container(tmp_path: Path) -> None:
    written = (
        "{preset: memory, flavor: container}",
        "{preset: cpu, flavor: container}",
        "{preset: memory, name: m, series: rss}",
    )
    metrics = metrics_of(tmp_path, "{preset: http-errors}", *written)
    assert [metric.value for metric in metrics if metric.kind == "gauge"] == [
        'container_memory_working_set_bytes{container!="",container!="POD"}',
        'container_cpu_usage_seconds_total{container!="",container!="POD"}',
        "rss",
    ]
