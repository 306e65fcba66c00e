"""Metrics that know their own series: a row of PRESETS per preset, a model per shape. Described in docs/presets.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, create_model

from analyzer.config.fields import LabelName, MetricName, ObjectiveNumber, SeriesName, Text, Word
from analyzer.config.keys import Around, Keys, Mistake, check
from analyzer.config.margins import (
    GATING,
    GAUGE,
    HISTOGRAM,
    OBJECTIVE,
    RATIO,
    RESOURCE_TOLERANCE,
    RESTARTS,
    ComparedKeys,
    FactorsKeys,
    LatencyKeys,
    RestartsSettings,
    SharesKeys,
)
from analyzer.config.noise import NOISE, LevelNoise, WithCountNoise
from analyzer.config.selectors import bucket_mistakes, selector_mistakes
from analyzer.model.metric import Gating, TestedMetric
from analyzer.promql import Matcher, MatchOperator, Selector, with_matchers

_PresetName = Annotated[MetricName | None, Field(description="Name of the metric. Default: the name of the preset.")]
_literal: Any = Literal


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


@dataclass(frozen=True, slots=True)
class Preset:
    """A row of the table. `keys` is its shape, `model` how its keys are called in the schema, `title` what they are.

    `usual` has its defaults; `series` its series by flavor, of which `counted` says what they are.
    """

    name: str
    keys: type[PresetKeys]
    model: str
    title: str
    compares: str
    usual: TestedMetric
    counted: str = ""
    series: Mapping[str, str] = field(default_factory=dict)


class PresetKeys(ComparedKeys):
    """What every preset has."""

    row: ClassVar[Preset]
    if TYPE_CHECKING:
        name: str | None
        flavor: Any
        series: str | None

    def called(self) -> str:
        """Its name, or that of the preset."""
        return self.name or self.row.name

    def selector(self) -> Selector:
        """Its series."""
        return Selector((Matcher.named(self.series or self.row.series[self.flavor]),))


class _HttpKeys(Keys):
    """Every preset of requests."""

    flavor: Word[HttpFlavor] = Field(
        default=HttpFlavor.COMMON,
        description="Naming scheme of the series: `common` (http_requests_total, http_request_duration_seconds), "
        "`micrometer`, `opentelemetry` or `grpc`. Single names can be overridden.",
    )


_CODE_LABELS = {
    HttpFlavor.COMMON: "code",
    HttpFlavor.MICROMETER: "status",
    HttpFlavor.OPENTELEMETRY: "http_response_status_code",
    HttpFlavor.GRPC: "grpc_code",
}
_SERVER_ERRORS = "5.."
_BLAME_THE_SERVER = "Unknown|DeadlineExceeded|Unimplemented|Internal|Unavailable|DataLoss"
"""The gRPC codes that OpenTelemetry's conventions count as errors of a server."""


class ErrorsPreset(_HttpKeys, WithCountNoise, SharesKeys, PresetKeys):
    """Requests with some codes, of all requests."""

    preset: str
    name: _PresetName = None
    series: SeriesName | None = None
    code_label: LabelName | None = Field(
        default=None,
        description=f"Label with the status code. Default: {'; '.join(_CODE_LABELS.values())} (by flavor).",
    )
    codes: Text | None = Field(
        default=None,
        description=f"Anchored regular expression of the codes that count as errors. Default: `{_SERVER_ERRORS}`; for "
        "gRPC the codes of server errors.",
    )

    def measured(self) -> dict[str, Any]:
        """Failed requests and all requests."""
        total, flavor = self.selector(), self.flavor
        codes = self.codes or (_BLAME_THE_SERVER if flavor is HttpFlavor.GRPC else _SERVER_ERRORS)
        failed = Matcher(self.code_label or _CODE_LABELS[flavor], MatchOperator.MATCHES, codes)
        return {"events": str(with_matchers(total, [failed])), "total": str(total)}

    @check
    def _codes(self, around: Around) -> Iterator[Mistake]:
        return selector_mistakes(("codes",), self.measured()["events"], around)


class LatencyPreset(_HttpKeys, WithCountNoise, LatencyKeys, PresetKeys):
    """How long requests take."""

    preset: str
    name: _PresetName = None
    series: SeriesName | None = None
    objective: ObjectiveNumber = Field(default=None, description=OBJECTIVE)

    def measured(self) -> dict[str, Any]:
        """The histogram's buckets."""
        return {"buckets": str(self.selector()), "objective": self.objective}

    @check
    def _buckets(self, around: Around) -> Iterator[Mistake]:
        return bucket_mistakes(("series",), str(self.selector()), around)


class ResourcePreset(FactorsKeys, PresetKeys):
    """How much each pod uses."""

    flavor: Word[ResourceFlavor] = Field(
        default=ResourceFlavor.PROCESS,
        description="`process`: series of the client library in the pod; `container`: series of the kubelet "
        "(cAdvisor) for each container.",
    )
    name: _PresetName = None
    noise: LevelNoise = Field(default=None, description=NOISE)
    preset: str
    series: SeriesName | None = None

    def measured(self) -> dict[str, Any]:
        """A gauge, or a counter. The kubelet exports the sum of a pod and its pause container too; with them everything
        would count twice."""
        selector = self.selector()
        if self.flavor is ResourceFlavor.CONTAINER:
            others = [Matcher("container", MatchOperator.NOT_EQUAL, name) for name in ("", "POD")]
            selector = with_matchers(selector, others)
        return {"value": str(selector)}


class RestartsPreset(WithCountNoise, RestartsSettings, PresetKeys):
    """Restarts of containers."""

    preset: str
    name: _PresetName = None


PRESETS = (
    Preset(
        name="http-errors",
        keys=ErrorsPreset,
        model="HttpErrorsKeys",
        title="Requests that failed on the server's side.",
        compares="share of requests that failed on the server.",
        usual=RATIO,
        counted="Counter of requests.",
        series={
            HttpFlavor.COMMON: "http_requests_total",
            HttpFlavor.MICROMETER: "http_server_requests_seconds_count",
            HttpFlavor.OPENTELEMETRY: "http_server_request_duration_seconds_count",
            HttpFlavor.GRPC: "grpc_server_handled_total",
        },
    ),
    Preset(
        name="http-latency",
        keys=LatencyPreset,
        model="HttpLatencyKeys",
        title="How long requests take.",
        compares="duration of requests, from a classic histogram.",
        usual=HISTOGRAM,
        counted="`_bucket` series of the histogram.",
        series={
            HttpFlavor.COMMON: "http_request_duration_seconds_bucket",
            HttpFlavor.MICROMETER: "http_server_requests_seconds_bucket",
            HttpFlavor.OPENTELEMETRY: "http_server_request_duration_seconds_bucket",
            HttpFlavor.GRPC: "grpc_server_handling_seconds_bucket",
        },
    ),
    Preset(
        name="cpu",
        keys=ResourcePreset,
        model="CpuKeys",
        title="CPU time.",
        compares="CPU seconds used per second.",
        usual=replace(GAUGE, counter=True, tolerance=RESOURCE_TOLERANCE),
        counted="Counter of CPU seconds.",
        series={
            ResourceFlavor.PROCESS: "process_cpu_seconds_total",
            ResourceFlavor.CONTAINER: "container_cpu_usage_seconds_total",
        },
    ),
    Preset(
        name="memory",
        keys=ResourcePreset,
        model="MemoryKeys",
        title="Memory.",
        compares="bytes of memory in use.",
        usual=replace(GAUGE, tolerance=RESOURCE_TOLERANCE, gating=Gating.ABORT),
        counted="Gauge of bytes.",
        series={
            ResourceFlavor.PROCESS: "process_resident_memory_bytes",
            ResourceFlavor.CONTAINER: "container_memory_working_set_bytes",
        },
    ),
    Preset(
        name="restarts",
        keys=RestartsPreset,
        model="RestartsPresetKeys",
        title="The same as `restarts: {}`.",
        compares="the same as `restarts: {}`.",
        usual=RESTARTS,
    ),
)


def _model(row: Preset) -> type[PresetKeys]:
    """The shape with what the row says."""
    fields: dict[str, Any] = {
        "preset": (_literal[row.name], Field(description=f"`{row.name}`: {row.compares}")),
        "gating": (Word[Gating], Field(default=row.usual.gating, description=GATING)),
    }
    if row.series:
        default = f"{row.counted} Default: {'; '.join(row.series.values())} (by flavor)."
        fields["series"] = (SeriesName | None, Field(default=None, description=default))
    model: type[PresetKeys] = create_model(row.model, __base__=row.keys, __doc__=row.title, **fields)
    model.row, model.usual = row, row.usual
    return model


PRESET_KEYS = {row.name: _model(row) for row in PRESETS}
"""The models, by the name of the preset."""
