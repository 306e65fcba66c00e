"""Analyses that cannot work, though each key by itself is fine. Called by `load` for each canary."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.config.check_plan import Mistake
from analyzer.config.keys_analysis import AnalysisKeys, MetricKeys
from analyzer.config.keys_metrics import GaugeKeys, HistogramKeys, QueryKeys, RateKeys, RatioKeys
from analyzer.config.keys_noise import CountNoiseKeys, LevelNoiseKeys, NoiseKeys
from analyzer.config.keys_presets import HttpErrorsKeys, HttpLatencyKeys
from analyzer.config.presets import http_errors, http_latency
from analyzer.model.metric import Analysis, GaugeMetric, Metric, QueryMetric, RateMetric, SeriesLabels, TestedMetric
from analyzer.model.plan import Advance, OnInconclusive, Plan
from analyzer.promql import MatchOperator, check_expression, parse_selector

_AnyNoise = CountNoiseKeys | LevelNoiseKeys | NoiseKeys


def analysis_mistakes(keys: AnalysisKeys, analysis: Analysis, labels: SeriesLabels) -> Iterator[Mistake]:
    """Every contradiction in an analysis; paths begin below `analysis`. `labels` hold the series' pods."""
    if not analysis.metrics:
        yield (("metrics",), "is missing; give at least one metric: metrics: [{preset: http-errors}]")
    yield from _noise(keys.noise)
    names: dict[str, int] = {}
    for index, metric in enumerate(analysis.metrics):
        if metric.name in names:
            yield (
                ("metrics", index, "name"),
                f"duplicate metric name {metric.name!r}, also of metrics[{names[metric.name]}]; rename one",
            )
        names.setdefault(metric.name, index)
        for path, message in _metric(keys.metrics[index], metric, labels):
            yield (("metrics", index, *path), message)


def gating_mistakes(analysis: Analysis, plan: Plan) -> Iterator[Mistake]:
    """An analysis that could never decide; paths begin below `analysis`."""
    if not analysis.metrics or any(metric.gating.promotes for metric in analysis.metrics):
        return
    if not any(metric.gating.aborts for metric in analysis.metrics):
        yield (("metrics",), "no metric can abort a release; set `gating: both` on one")
    elif plan.advance is Advance.PROOF or plan.on_inconclusive is not OnInconclusive.PROMOTE:
        yield (
            ("metrics",),
            (
                "no metric gates promotion, so no release would ever be promoted; set `gating: both` on one, or "
                "`plan: {advance: time, onInconclusive: promote}`"
            ),
        )


def _metric(keys: MetricKeys, metric: Metric, labels: SeriesLabels) -> Iterator[Mistake]:
    if isinstance(metric, QueryMetric):
        yield from _query(metric)
        return
    yield from _margins(metric)
    yield from _noise(None if isinstance(keys, QueryKeys) else keys.noise)
    match keys:
        case RatioKeys():
            yield from _selector(("ratio", "events"), keys.ratio.events, labels)
            yield from _selector(("ratio", "total"), keys.ratio.total, labels)
        case HistogramKeys():
            yield from _buckets(("histogram", "buckets"), keys.histogram.buckets, labels)
        case GaugeKeys():
            yield from _selector(("gauge", "value"), keys.gauge.value, labels)
        case RateKeys():
            yield from _selector(("rate", "events"), keys.rate.events, labels)
        case HttpErrorsKeys():
            yield from _selector(("codes",), http_errors(keys)[0], labels)
        case HttpLatencyKeys():
            yield from _buckets(("series",), http_latency(keys), labels)
        case _:
            pass  # its series are checked names, or it has none


def _query(metric: QueryMetric) -> Iterator[Mistake]:
    if metric.min is None and metric.max is None:
        yield ((), "a query requires `min`, `max` or both")
    if metric.min is not None and metric.max is not None and metric.min > metric.max:
        yield (("min",), f"min {metric.min:g} is above max {metric.max:g}; no value could pass")
    try:
        check_expression(metric.query)
    except ValueError as error:
        yield (("query",), str(error))


def _margins(metric: TestedMetric) -> Iterator[Mistake]:
    tolerance, margin = metric.tolerance, metric.promote_margin
    if tolerance is None or margin is None:
        return
    for name, least, given in (
        ("ratio", tolerance.ratio, margin.ratio),
        ("absolute", tolerance.absolute, margin.absolute),
    ):
        if given < least:
            yield (
                ("promoteMargin", name),
                (
                    f"{given:g} is narrower than the tolerance ({least:g}): a canary between the two could neither be "
                    "aborted nor promoted; widen it"
                ),
            )
    if margin.ratio == 1 and margin.absolute == 0:
        yield (("promoteMargin",), _proves_nothing(metric))


def _proves_nothing(metric: TestedMetric) -> str:
    if isinstance(metric, GaugeMetric | RateMetric):
        return "with ratio 1 not even a canary equal to stable could be promoted; widen it"
    return "with ratio 1 and absolute 0 not even a canary equal to stable could be promoted; widen one of them"


def _noise(keys: _AnyNoise | None) -> Iterator[Mistake]:
    if keys is None or keys.history is None:
        return
    stated = keys.model_dump(exclude={"history"}, exclude_none=True, by_alias=True)
    if stated:
        yield (
            ("noise", "history"),
            f"`history` is for estimated noise, but {' and '.join(stated)} is given; remove one of them",
        )


def _buckets(path: tuple[str, ...], text: str, labels: SeriesLabels) -> Iterator[Mistake]:
    """A classic histogram's buckets; the series of a native one have no such suffix."""
    mistakes = list(_selector(path, text, labels))
    yield from mistakes
    if mistakes:
        return
    selector = parse_selector(text)
    for matcher in selector.matchers:
        if matcher.label == "le":
            yield (path, f"remove the matcher {matcher}: every boundary is compared")
    names = [matcher for matcher in selector.matchers if matcher.label == "__name__"]
    if not any(name.value.endswith("_bucket") for name in names if name.operator is MatchOperator.EQUAL):
        yield (
            path,
            (
                f"expected the `_bucket` series of a classic histogram, found {text!r}; native histograms are not "
                "supported yet: let Prometheus keep the classic buckets too (always_scrape_classic_histograms: true)"
            ),
        )


def _selector(path: tuple[str, ...], text: str, labels: SeriesLabels) -> Iterator[Mistake]:
    try:
        selector = parse_selector(text)
    except ValueError as error:
        yield (path, str(error))
        return
    for matcher in selector.matchers:
        if matcher.label in (labels.namespace, labels.pod):
            yield (path, f"remove the matcher {matcher}: each release adds its namespace and pods")
