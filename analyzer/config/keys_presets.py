"""Keys of metrics that know their own series: one model per preset. What they stand for is in `presets`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from analyzer.config.keys import Keys
from analyzer.config.keys_metrics import FactorsKeys, LatencyKeys, ObjectiveNumber, RestartsSettings, SharesKeys
from analyzer.config.keys_noise import LevelNoise
from analyzer.config.scalars import LabelName, MetricName, SeriesName, Text
from analyzer.model.metric import Gating

PresetMetricName = Annotated[
    MetricName | None, Field(description="Name of the metric. Default: the name of the preset.")
]


class HttpFlavor(StrEnum):
    """Naming scheme of the series of requests."""

    COMMON = "common"
    MICROMETER = "micrometer"
    OPENTELEMETRY = "opentelemetry"
    GRPC = "grpc"


class ResourceFlavor(StrEnum):
    """Source of the series about resources."""

    PROCESS = "process"
    CONTAINER = "container"


class _HttpKeys(Keys):
    """Both presets of requests."""

    flavor: Annotated[HttpFlavor, Field(strict=False)] = Field(
        default=HttpFlavor.COMMON,
        description="Naming scheme of the series: `common` (http_requests_total, http_request_duration_seconds), "
        "`micrometer`, `opentelemetry` or `grpc`. Single names can be overridden.",
    )


class HttpErrorsKeys(_HttpKeys, SharesKeys):
    """Requests that failed on the server's side."""

    preset: Literal["http-errors"] = Field(description="`http-errors`: share of requests that failed on the server.")
    name: PresetMetricName = None
    series: SeriesName | None = Field(
        default=None,
        description="Counter of requests. Default: http_requests_total; http_server_requests_seconds_count; "
        "http_server_request_duration_seconds_count; grpc_server_handled_total (by flavor).",
    )
    code_label: LabelName | None = Field(
        default=None,
        description="Label with the status code. Default: code; status; http_response_status_code; "
        "grpc_code (by flavor).",
    )
    codes: Text | None = Field(
        default=None,
        description="Anchored regular expression of the codes that count as errors. Default: `5..`; for gRPC the codes "
        "of server errors.",
    )


class HttpLatencyKeys(_HttpKeys, LatencyKeys):
    """How long requests take."""

    preset: Literal["http-latency"] = Field(
        description="`http-latency`: duration of requests, from a classic histogram."
    )
    name: PresetMetricName = None
    series: SeriesName | None = Field(
        default=None,
        description="`_bucket` series of the histogram. Default: http_request_duration_seconds_bucket; "
        "http_server_requests_seconds_bucket; http_server_request_duration_seconds_bucket; "
        "grpc_server_handling_seconds_bucket (by flavor).",
    )
    objective: ObjectiveNumber = Field(
        default=None,
        description="Boundary that matters most; it gets half of the weight. A duration for series in seconds, else a "
        "number as in `le`.",
    )


class _ResourceKeys(FactorsKeys):
    """CPU and memory."""

    flavor: Annotated[ResourceFlavor, Field(strict=False)] = Field(
        default=ResourceFlavor.PROCESS,
        description="`process`: series of the client library in the pod; `container`: series of the kubelet "
        "(cAdvisor) for each container.",
    )
    name: PresetMetricName = None
    noise: LevelNoise = Field(default=None, description="`noise` of this metric, in place of that of the analysis.")


class CpuKeys(_ResourceKeys):
    """CPU time."""

    preset: Literal["cpu"] = Field(description="`cpu`: CPU seconds used per second.")
    series: SeriesName | None = Field(
        default=None,
        description="Counter of CPU seconds. Default: process_cpu_seconds_total; "
        "container_cpu_usage_seconds_total (by flavor).",
    )


class MemoryKeys(_ResourceKeys):
    """Memory."""

    preset: Literal["memory"] = Field(description="`memory`: bytes of memory in use.")
    series: SeriesName | None = Field(
        default=None,
        description="Gauge of bytes. Default: process_resident_memory_bytes; container_memory_working_set_bytes "
        "(by flavor).",
    )
    gating: Annotated[Gating, Field(strict=False)] = Field(
        default=Gating.ABORT,
        description="`both`: can abort, and promotion requires its proof; `abort`: can only abort; `none`: only shown.",
    )


class RestartsPresetKeys(RestartsSettings):
    """The same as `restarts: {}`."""

    preset: Literal["restarts"] = Field(description="`restarts`: the same as `restarts: {}`.")
    name: PresetMetricName = None


PresetKeys = HttpErrorsKeys | HttpLatencyKeys | CpuKeys | MemoryKeys | RestartsPresetKeys
