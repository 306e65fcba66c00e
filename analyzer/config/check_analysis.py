"""Analyses that can't work, though each key by itself is fine. Called by `load` for each canary."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.config.check_plan import Mistake
from analyzer.config.keys_analysis import AnalysisKeys, PresetKeys
from analyzer.model.metric import Analysis, Metric, QueryMetric, RatioMetric, SeriesLabels
from analyzer.model.plan import Advance, OnInconclusive, Plan
from analyzer.promql import check_expression, parse_selector


def analysis_mistakes(keys: AnalysisKeys, analysis: Analysis, labels: SeriesLabels) -> Iterator[Mistake]:
    """Every contradiction in an analysis; paths begin below `analysis`. `labels` hold the series' pods."""
    if not analysis.metrics:
        yield (("metrics",), "is missing; compare at least one thing: metrics: [{preset: http-errors}]")
    names: dict[str, int] = {}
    for index, metric in enumerate(analysis.metrics):
        if metric.name in names:
            yield (
                ("metrics", index, "name"),
                f"the name {metric.name!r} is already that of metrics[{names[metric.name]}]; give it another",
            )
        names.setdefault(metric.name, index)
        preset = isinstance(keys.metrics[index], PresetKeys)
        for path, message in _metric(metric, labels, preset=preset):
            yield (("metrics", index, *path), message)


def gating_mistakes(analysis: Analysis, plan: Plan) -> Iterator[Mistake]:
    """An analysis that could never decide; paths begin below `analysis`."""
    if not analysis.metrics or any(metric.gating.promotes for metric in analysis.metrics):
        return
    if not any(metric.gating.aborts for metric in analysis.metrics):
        yield (("metrics",), "no metric can abort a release; give one `gating: both`")
    elif plan.advance is Advance.PROOF or plan.on_inconclusive is not OnInconclusive.PROMOTE:
        yield (
            ("metrics",),
            (
                "no metric can be proven, so no release would ever be promoted; give one `gating: both`, or set "
                "`plan: {advance: time, onInconclusive: promote}`"
            ),
        )


def _metric(metric: Metric, labels: SeriesLabels, *, preset: bool) -> Iterator[Mistake]:
    match metric:
        case QueryMetric():
            yield from _query(metric)
        case RatioMetric():
            yield from _margins(metric)
            if preset:
                yield from _selector(("codes",), metric.events, labels)
            else:
                yield from _selector(("ratio", "events"), metric.events, labels)
                yield from _selector(("ratio", "total"), metric.total, labels)


def _query(metric: QueryMetric) -> Iterator[Mistake]:
    if metric.min is None and metric.max is None:
        yield ((), "a query needs `min`, `max` or both")
    if metric.min is not None and metric.max is not None and metric.min > metric.max:
        yield (("min",), f"min {metric.min:g} is above max {metric.max:g}; no value could be good")
    try:
        check_expression(metric.query)
    except ValueError as error:
        yield (("query",), str(error))


def _margins(metric: RatioMetric) -> Iterator[Mistake]:
    tolerance, margin = metric.tolerance, metric.promote_margin
    for name, least, given in (
        ("ratio", tolerance.ratio, margin.ratio),
        ("absolute", tolerance.absolute, margin.absolute),
    ):
        if given < least:
            yield (
                ("promoteMargin", name),
                (
                    f"{given:g} is narrower than the tolerance of {least:g}: a canary between the two could neither "
                    "be aborted nor promoted; widen it"
                ),
            )
    if margin.ratio == 1 and margin.absolute == 0:
        yield (
            ("promoteMargin",),
            "with ratio 1 and absolute 0 not even an equal canary could be proven; widen one of them",
        )


def _selector(path: tuple[str, ...], text: str, labels: SeriesLabels) -> Iterator[Mistake]:
    try:
        selector = parse_selector(text)
    except ValueError as error:
        yield (path, str(error))
        return
    for matcher in selector.matchers:
        if matcher.label in (labels.namespace, labels.pod):
            yield (path, f"leave out the matcher {matcher}: each release adds its own pods and namespace")
