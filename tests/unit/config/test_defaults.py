"""The defaults that the documentation promises, pinned: a change here is a change for every user."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from analyzer.config import Configuration, Log, PrometheusSettings, Receiver, ReleaseLimits, load
from analyzer.model.metric import (
    Analysis,
    Direction,
    Gating,
    GaugeMetric,
    HistogramMetric,
    Margin,
    Metric,
    NoiseSetting,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    Scope,
    SeriesLabels,
)
from analyzer.model.plan import (
    Advance,
    Amount,
    Capacity,
    CapacityMode,
    GateTimeout,
    Mode,
    OnDrift,
    OnInconclusive,
    Plan,
    Promotion,
    Step,
)
from analyzer.model.target import Roles, Target
from tests.unit.config.sources import CANARY, EXAMPLES, PROMETHEUS, load_text

MINUTE = timedelta(minutes=1)


def test_the_shortest_useful_file_has_five_lines_and_every_promised_default() -> None:
    file = EXAMPLES / "minimal.yaml"
    assert len(file.read_text().splitlines()) == 5
    errors = RatioMetric(
        name="http-errors",
        events='http_requests_total{code=~"5.."}',
        total="http_requests_total",
        tolerance=Margin(1.25, 0.0005),
        promote_margin=Margin(1.5, 0.001),
        importance=1.0,
        gating=Gating.BOTH,
    )
    plan = Plan(
        steps=(Step(10, 5 * MINUTE), Step(25, 5 * MINUTE), Step(50, 10 * MINUTE)),
        capacity=Capacity(CapacityMode.PRESERVE, Amount(25, percent=True), Amount(0), None),
        promote=Promotion.COPY_TEMPLATE,
        advance=Advance.PROOF,
        bake=30 * MINUTE,
        deadline=120 * MINUTE,
        on_inconclusive=OnInconclusive.HOLD,
        ready_within=5 * MINUTE,
        weight_tolerance=None,
    )
    analysis = Analysis(metrics=(errors,), interval=MINUTE / 4, warmup=MINUTE, false_abort=0.01, false_promote=0.05)
    assert load([file]) == Configuration(
        prometheus=PrometheusSettings(
            url="http://prometheus-server.monitoring",
            timeout=MINUTE / 6,
            delay=None,
            labels=SeriesLabels("namespace", "pod"),
        ),
        targets=(
            Target(
                name="my-app",
                namespace="default",
                roles=Roles("my-app-v1", "my-app-v2"),
                plan=plan,
                analysis=analysis,
                mode=Mode.ACT,
                on_drift=OnDrift.PAUSE,
            ),
        ),
        receivers=(Receiver("log", Log()),),
        routes=(),
        limits=ReleaseLimits(20),
        freeze=False,
    )


def test_a_guard_breaks_after_three_blocks_holds_and_gates_aborts_only(tmp_path: Path) -> None:
    guard = "{name: slo, query: up, max: 1}"
    text = PROMETHEUS + CANARY.replace("{preset: http-errors}", "{preset: http-errors}, " + guard)
    (metric,) = load_text(tmp_path, text).targets[0].analysis.metrics[1:]
    assert metric.kind == "query"
    assert (metric.blocks, metric.scope, metric.gating) == (3, Scope.BOTH, Gating.ABORT)


def test_a_gate_waits_for_ever_by_default(tmp_path: Path) -> None:
    text = PROMETHEUS + CANARY + "    plan: {steps: [{weight: 10, hold: 5m, gate: manual}]}\n"
    gate = load_text(tmp_path, text).targets[0].plan.steps[0].gate
    assert gate is not None
    assert (gate.timeout, gate.then) == (None, GateTimeout.HOLD)


def test_the_proof_for_promotion_is_never_narrower_than_the_tolerance_by_default(tmp_path: Path) -> None:
    text = PROMETHEUS + CANARY.replace("http-errors}", "http-errors, tolerance: {ratio: 3}}")
    (metric,) = load_text(tmp_path, text).targets[0].analysis.metrics
    assert metric.kind == "ratio"
    assert metric.tolerance == Margin(3, 0.0005)
    assert metric.promote_margin == Margin(3, 0.001)


def metrics_of(folder: Path, *metrics: str) -> tuple[Metric, ...]:
    """What an analysis with these metrics, beside one that can be proven, is judged by."""
    listed = ", ".join(("{preset: http-errors}", *metrics))
    return (
        load_text(folder, PROMETHEUS + CANARY.replace("{preset: http-errors}", listed)).targets[0].analysis.metrics[1:]
    )


def test_each_kind_has_the_defaults_that_the_statistics_promise(tmp_path: Path) -> None:
    assert metrics_of(
        tmp_path,
        "{name: render, histogram: {buckets: render_seconds_bucket, objective: 250ms}}",
        "{name: queue, gauge: {value: queue_length}}",
        "{name: orders, rate: {events: orders_total}}",
        "{name: again, restarts: {}}",
    ) == (
        HistogramMetric("render", "render_seconds_bucket", objective=0.25),
        GaugeMetric(
            "queue", "queue_length", direction=Direction.UP, tolerance=Margin(1.25), promote_margin=Margin(1.5)
        ),
        RateMetric("orders", "orders_total", direction=Direction.DOWN, tolerance=Margin(1.25)),
        RestartsMetric("again", tolerance=Margin(2, 0.02), gating=Gating.ABORT),
    )


def test_cpu_and_memory_are_gauges_with_a_tolerance_of_a_tenth_and_memory_only_aborts(tmp_path: Path) -> None:
    tight = Margin(1.1)
    assert metrics_of(tmp_path, "{preset: cpu}", "{preset: memory}", "{preset: restarts}") == (
        GaugeMetric("cpu", "process_cpu_seconds_total", counter=True, tolerance=tight),
        GaugeMetric("memory", "process_resident_memory_bytes", tolerance=tight, gating=Gating.ABORT),
        RestartsMetric("restarts"),
    )


def test_noise_is_estimated_from_six_hours_and_the_fast_lane_is_on(tmp_path: Path) -> None:
    analysis = load_text(tmp_path, PROMETHEUS + CANARY).targets[0].analysis
    assert analysis.noise == NoiseSetting(None, None, None, history=360 * MINUTE)
    assert analysis.fast_lane == Margin(5, 0.1)
    assert analysis.metrics[0].kind == "ratio"
    assert analysis.metrics[0].noise is None
