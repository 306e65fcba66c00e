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

PresetMetricName = Annotated[MetricName | None, Field(description="What it is called. Default: the preset's name.")]


class HttpFlavor(StrEnum):
    """Whose names the series of requests have."""

    COMMON = "common"
    MICROMETER = "micrometer"
    OPENTELEMETRY = "opentelemetry"
    GRPC = "grpc"


class ResourceFlavor(StrEnum):
    """Who measures what a pod uses."""

    PROCESS = "process"
    CONTAINER = "container"


class _HttpKeys(Keys):
    """Both presets of requests."""

    flavor: Annotated[HttpFlavor, Field(strict=False)] = Field(
        default=HttpFlavor.COMMON,
        description="Whose names the series have: `common` (http_requests_total, http_request_duration_seconds), "
        "`micrometer`, `opentelemetry` or `grpc`; each name can be replaced.",
    )


class HttpErrorsKeys(_HttpKeys, SharesKeys):
    """Requests that failed on the server's side."""

    preset: Literal["http-errors"] = Field(
        description="`http-errors`: requests that the server failed, of all requests."
    )
    name: PresetMetricName = None
    series: SeriesName | None = Field(
        default=None,
        description="The counter of requests. Default: http_requests_total; http_server_requests_seconds_count; "
        "http_server_request_duration_seconds_count; grpc_server_handled_total (by flavor).",
    )
    code_label: LabelName | None = Field(
        default=None,
        description="The label that holds the status code. Default: code; status; http_response_status_code; "
        "grpc_code (by flavor).",
    )
    codes: Text | None = Field(
        default=None,
        description="Regular expression of the codes that count as errors, anchored. Default: `5..`; for gRPC those "
        "that blame the server.",
    )


class HttpLatencyKeys(_HttpKeys, LatencyKeys):
    """How long requests take."""

    preset: Literal["http-latency"] = Field(
        description="`http-latency`: how long requests take, as a classic histogram."
    )
    name: PresetMetricName = None
    series: SeriesName | None = Field(
        default=None,
        description="The histogram's `_bucket` series. Default: http_request_duration_seconds_bucket; "
        "http_server_requests_seconds_bucket; http_server_request_duration_seconds_bucket; "
        "grpc_server_handling_seconds_bucket (by flavor).",
    )
    objective: ObjectiveNumber = Field(
        default=None,
        description="The boundary that matters most, with half of the weight: a duration for series in seconds, else "
        "a number as in `le`.",
    )


class _ResourceKeys(FactorsKeys):
    """CPU and memory."""

    flavor: Annotated[ResourceFlavor, Field(strict=False)] = Field(
        default=ResourceFlavor.PROCESS,
        description="`process`: what the pod's own client library exports; `container`: what the kubelet (cAdvisor) "
        "exports for each container.",
    )
    name: PresetMetricName = None
    noise: LevelNoise = Field(default=None, description="This metric's own `noise`, in place of the analysis'.")


class CpuKeys(_ResourceKeys):
    """CPU time."""

    preset: Literal["cpu"] = Field(description="`cpu`: CPU seconds used per second.")
    series: SeriesName | None = Field(
        default=None,
        description="The counter of CPU seconds. Default: process_cpu_seconds_total; "
        "container_cpu_usage_seconds_total (by flavor).",
    )


class MemoryKeys(_ResourceKeys):
    """Memory."""

    preset: Literal["memory"] = Field(description="`memory`: bytes of memory in use.")
    series: SeriesName | None = Field(
        default=None,
        description="The gauge of bytes. Default: process_resident_memory_bytes; container_memory_working_set_bytes "
        "(by flavor).",
    )
    gating: Annotated[Gating, Field(strict=False)] = Field(
        default=Gating.ABORT,
        description="`both`: can abort, and must be proven to promote; `abort`: can only abort; `none`: only shown.",
    )


class RestartsPresetKeys(RestartsSettings):
    """The same as `restarts: {}`."""

    preset: Literal["restarts"] = Field(description="`restarts`: the same as `restarts: {}`.")
    name: PresetMetricName = None


PresetKeys = HttpErrorsKeys | HttpLatencyKeys | CpuKeys | MemoryKeys | RestartsPresetKeys
