"""A line becomes a case with the program's defaults, or an error that says what, found, and where."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from analyzer.cli.judge.cases import Case, parse, read_case
from analyzer.cli.judge.samples import CaseError
from analyzer.model.block import Arrivals, Block, Buckets, Counts, GuardReading, NoData, PodLevel, Restarts
from analyzer.model.metric import (
    Analysis,
    Gating,
    GaugeMetric,
    HistogramMetric,
    Margin,
    QueryMetric,
    RateMetric,
    RatioMetric,
    RestartsMetric,
    Scope,
)
from analyzer.model.noise import Noise
from tests.unit.cli.judge.cases import EVERY_KIND, GAUGE, HISTOGRAM, QUERY, RATE, RATIO, RESTARTS, WHOLE

ONE = {"events": 1, "total": 100}
BOTH = {"canary": ONE, "stable": ONE}


def changed(case: dict[str, Any], **keys: Any) -> Case:
    return read_case(parse(json.dumps({**case, **keys}).encode()))


def only(case: Case) -> Block[Any]:
    ((first, *_),) = case.blocks.values()
    assert isinstance(first, Block)
    return first


def mistake(case: dict[str, Any], **keys: Any) -> str:
    with pytest.raises(CaseError) as refused:
        changed(case, **keys)
    return str(refused.value)


def test_everything_but_kind_and_blocks_has_the_programs_default() -> None:
    case = changed({"kind": "ratio", "blocks": [BOTH]})
    usual = Analysis(metrics=())
    assert case.analysis.metrics == (RatioMetric("ratio", "", ""),)
    assert (case.analysis.false_abort, case.analysis.false_promote) == (usual.false_abort, usual.false_promote)
    assert (case.id, case.steps, case.timing.block) == (None, (0,), 15)
    assert case.analysis.interval == timedelta(seconds=15)
    assert case.analysis.fast_lane is None


@pytest.mark.parametrize(
    ("given", "metric"),
    [
        ({"kind": "histogram", "bounds": [1, "+Inf"]}, HistogramMetric("histogram", "")),
        ({"kind": "gauge"}, GaugeMetric("gauge", "")),
        ({"kind": "rate"}, RateMetric("rate", "")),
        ({"kind": "restarts"}, RestartsMetric("restarts")),
        ({"kind": "query", "max": 1}, QueryMetric("query", "", max=1)),
    ],
)
def test_each_kind_has_its_own_defaults(given: dict[str, Any], metric: object) -> None:
    assert changed({**given, "blocks": []}).analysis.metrics == (metric,)


def test_what_is_stated_is_used() -> None:
    case = changed(RATIO, name="errors", importance=3, gating="abort", blockSeconds=30)
    (metric,) = case.analysis.metrics
    assert isinstance(metric, RatioMetric)
    assert (metric.name, metric.importance, metric.gating) == ("errors", 3, Gating.ABORT)
    assert case.steps == (0, 2)
    assert case.timing.block == 30
    assert case.noise == {"errors": Noise(1, 0, source="stated")}


def test_the_proof_is_never_narrower_than_the_tolerance_by_default() -> None:
    (metric,) = changed({"kind": "ratio", "tolerance": {"ratio": 3}, "blocks": []}).analysis.metrics
    assert isinstance(metric, RatioMetric)
    assert (metric.tolerance, metric.promote_margin) == (Margin(3, 0.0005), Margin(3, 0.001))


def test_pods_are_kept_apart() -> None:
    block = only(changed(RATIO))
    assert block.canary.pods == {"c-1": Counts(3, 120)}
    assert block.stable.pods == {"s-1": Counts(1, 118), "s-2": Counts(2, 121)}
    assert block.stable.merged is None
    assert block.stable_later == block.stable


def test_a_side_may_be_one_sample_for_one_or_several_pods() -> None:
    block = only(changed(HISTOGRAM))
    assert block.canary.bounds == block.stable.bounds == (0.1, 0.25, 1, float("inf"))
    assert block.stable.pods == {"stable": Buckets((1000, 1100, 1190, 1200))}
    assert (block.canary.merged, block.stable.merged) == (None, 9)


def test_samples_of_the_other_kinds() -> None:
    assert only(changed(GAUGE)).canary.pods == {"canary": PodLevel(0.42)}
    assert only(changed(RESTARTS)).canary.pods == {"canary": Restarts(1, 0.5)}
    assert changed(QUERY).blocks["query"][3] == GuardReading(3, 0.04)


def test_exposure_that_is_left_out_is_pods_times_seconds() -> None:
    block = only(changed(RATE, blockSeconds=10))
    assert block.canary.pods == {"canary": Arrivals(30, 10)}
    assert block.stable.pods == {"stable": Arrivals(280, 90)}


def test_exposure_is_stated_for_all_or_for_none() -> None:
    block = {"canary": {"events": 3, "exposure": 0.1}, "stable": {"events": 27}}
    assert mistake(RATE, blocks=[block]) == (
        "blocks[0].stable.exposure: given for some samples and left out for others; give it for all or for none"
    )


@pytest.mark.parametrize(
    ("side", "absent"),
    [
        (None, {"canary": "the file has no canary side in this block"}),
        ({"pods": {}}, {"canary": "the file has no canary pods in this block"}),
        ({"events": 3}, {"canary": "no total in the file"}),
        ({"total": 3, "events": None}, {"canary": "no events in the file"}),
        ({"pods": {"c-1": None}}, {"c-1": "no value in the file"}),
        ({"pods": {"c-1": {"total": 3}}}, {"c-1": "no events in the file"}),
    ],
)
def test_what_is_missing_is_absent_and_not_0(side: object, absent: dict[str, str]) -> None:
    block = only(changed({"kind": "ratio", "blocks": [{"canary": side, "stable": ONE}]}))
    assert (block.canary.pods, block.canary.absent) == ({}, absent)


def test_a_block_without_anything_is_absent_on_both_sides() -> None:
    block = only(changed({"kind": "ratio", "blocks": [None]}))
    assert block.canary.absent
    assert block.stable.absent


def test_a_guard_without_a_value_has_no_data() -> None:
    readings = changed(QUERY, blocks=[{}, {"value": None}, None]).blocks["query"]
    assert readings == tuple(GuardReading(index, NoData("no value in the file")) for index in range(3))


def test_a_whole_analysis_has_its_blocks_by_name() -> None:
    case = changed(WHOLE)
    assert [metric.name for metric in case.analysis.metrics] == ["errors", "slo"]
    assert case.whole
    assert {name: len(blocks) for name, blocks in case.blocks.items()} == {"errors": 4, "slo": 4}
    assert case.analysis.metrics[1] == QueryMetric("slo", "", max=0.05, scope=Scope.CANARY)
    assert set(case.noise) == {"errors"}


def test_a_metric_that_a_block_does_not_name_is_absent() -> None:
    case = changed(WHOLE, blocks=[{"slo": {"value": 1}}])
    (block,) = case.blocks["errors"]
    assert isinstance(block, Block)
    assert block.canary.absent


def test_a_metrics_own_noise_wins_over_that_of_the_analysis() -> None:
    metrics = [
        {"name": "a", "kind": "ratio", "noise": {"dispersion": 3, "podSpread": 0.3}},
        {"name": "b", "kind": "ratio"},
    ]
    case = changed(WHOLE, metrics=metrics, blocks=[], noise={"dispersion": 2, "podSpread": 0.2})
    assert case.noise == {"a": Noise(3, 0.3, source="stated"), "b": Noise(2, 0.2, source="stated")}


def test_history_is_taken_in_batches_of_five_minutes() -> None:
    """40 blocks of 15 s are two batches, of either form."""
    pods = {f"s-{n}": ONE for n in range(9)}
    sides = changed({"kind": "ratio", "blocks": [], "history": [{"pods": pods}] * 240}).noise["ratio"]
    blocks = changed({"kind": "ratio", "blocks": [], "history": [{"stable": {"pods": pods}}] * 240}).noise["ratio"]
    assert sides == blocks
    assert "1h of 9 pods" in sides.source


def test_without_history_noise_has_stated_defaults() -> None:
    noise = changed({"kind": "ratio", "blocks": []}).noise["ratio"]
    assert noise.dispersion > 1
    assert noise.pod_spread > 0
    assert "no history" in noise.source


@pytest.mark.parametrize("case", EVERY_KIND, ids=lambda case: case["id"])
def test_null_is_the_same_as_left_out(case: dict[str, Any]) -> None:
    """Keys with null have their defaults."""
    nulls = dict.fromkeys(("steps", "falseAbort", "falsePromote", "blockSeconds"))
    bare = {key: value for key, value in case.items() if key not in nulls}
    assert changed(bare, **nulls) == changed(bare)


RATIO_MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "no kind": ({"kind": None}, "kind: is missing; expected ratio | histogram | gauge | rate | restarts | query"),
    "unknown kind": (
        {"kind": "ratoi"},
        "kind: expected ratio | histogram | gauge | rate | restarts | query, found 'ratoi'; did you mean ratio?",
    ),
    "unknown key": ({"tolerence": {}}, "tolerence: unknown key; did you mean tolerance?"),
    "key of another kind": ({"bounds": [1]}, "bounds: unknown key; expected one of id, falseAbort, falsePromote"),
    "no blocks": ({"blocks": None}, "blocks: is missing; it has no default"),
    "blocks no list": ({"blocks": {}}, "blocks: expected a list, found a mapping of keys; write [ ] around it"),
    "block no object": ({"blocks": [3]}, "blocks[0]: expected an object with `canary` and `stable`, found 3"),
    "unknown side": ({"blocks": [{"canari": ONE}]}, "blocks[0].canari: unknown key; did you mean canary?"),
    "negative": (
        {"blocks": [BOTH, {"canary": {"pods": {"c-1": {"events": -1, "total": 5}}}}]},
        "blocks[1].canary.pods.c-1.events: expected a count from 0 to 2^53, found -1",
    ),
    "too many": (
        {"blocks": [{"canary": {"events": 6, "total": 5}}]},
        "blocks[0].canary.events: expected at most the 5 of total, found 6",
    ),
    "text for a number": (
        {"blocks": [{"stable": {"events": "6", "total": 5}}]},
        "blocks[0].stable.events: expected a count from 0 to 2^53, found '6'",
    ),
    "true for a number": (
        {"blocks": [{"stable": {"events": True, "total": 5}}]},
        "blocks[0].stable.events: expected a count from 0 to 2^53, found true",
    ),
    "beyond counting": (
        {"blocks": [{"stable": {"events": 0, "total": 2**54}}]},
        f"blocks[0].stable.total: expected a count from 0 to 2^53, found {2**54}",
    ),
    "pods no object": (
        {"blocks": [{"stable": {"pods": [ONE]}}]},
        "blocks[0].stable.pods: expected an object of pods by name, found a list",
    ),
    "no pods at all": (
        {"blocks": [{"stable": {**ONE, "podCount": 0}}]},
        "blocks[0].stable.podCount: expected a whole number of pods, at least 1, found 0",
    ),
    "count of pods": (
        {"blocks": [{"stable": {"pods": {}, "podCount": 2}}]},
        "blocks[0].stable.podCount: unknown key; expected one of pods",
    ),
    "alpha": ({"falseAbort": 0}, "falseAbort: expected a number above 0, found 0"),
    "steps fall": ({"steps": [0, 5, 5]}, "steps[2]: expected more than the 5 before it, found 5"),
    "steps empty": ({"steps": []}, "steps: expected at least one item, found an empty list"),
    "step no index": ({"steps": [0.5]}, "steps[0]: expected a whole number, found 0.5"),
    "tolerance": ({"tolerance": 2}, "tolerance: expected a mapping of keys, found 2"),
    "narrow proof": (
        {"tolerance": {"ratio": 2}},
        "promoteMargin.ratio: 1.5 is narrower than the tolerance (2): a canary between the two could neither",
    ),
    "dispersion": ({"noise": {"dispersion": 0.5}}, "noise.dispersion: expected a number of at least 1, found 0.5"),
    "gating": ({"gating": "maybe"}, "gating: expected both | abort | none, found 'maybe'"),
    "seconds": ({"blockSeconds": 0}, "blockSeconds: expected a number of at least 0.001, found 0"),
    "history": (
        {"history": [{"stable": ONE}, {"pods": {"s-1": {"events": 2, "total": 1}}}]},
        "history[1].pods.s-1.events: expected at most the 1 of total, found 2",
    ),
    "history with a canary": (
        {"history": [BOTH]},
        "history[0]: expected the stable side alone, as there was no canary yet",
    ),
}


@pytest.mark.parametrize(("keys", "message"), RATIO_MISTAKES.values(), ids=RATIO_MISTAKES)
def test_a_mistake_says_what_was_expected_found_and_where(keys: dict[str, Any], message: str) -> None:
    assert mistake(RATIO, **keys).startswith(message)


def test_all_mistakes_of_the_keys_are_said_at_once() -> None:
    assert mistake(HISTOGRAM, falseAbort=0, steps=[3, 3], tolerence={}, bounds=[1, 0.1, "+Inf"], gating="maybe") == (
        "tolerence: unknown key; did you mean tolerance?; "
        "also falseAbort: expected a number above 0, found 0; "
        "also gating: expected both | abort | none, found 'maybe'; "
        "also bounds[1]: expected more than the 1 before it, found 0.1; "
        "also objective: expected at most the last finite bound, 0.1, found 0.25; "
        "also steps[1]: expected more than the 3 before it, found 3"
    )


def test_of_samples_the_first_mistake_of_each_metric_and_of_its_history_is_said() -> None:
    wrong = {"canary": {"events": 2, "total": 1}}
    metrics = [{"name": "a", "kind": "ratio", "history": [{"events": -1, "total": 1}]}, {"name": "b", "kind": "ratio"}]
    assert mistake(WHOLE, metrics=metrics, blocks=[{"a": wrong, "b": wrong}, {"a": wrong}]) == (
        "blocks[0].a.canary.events: expected at most the 1 of total, found 2; "
        "also metrics[0].history[0].events: expected a count from 0 to 2^53, found -1; "
        "also blocks[0].b.canary.events: expected at most the 1 of total, found 2"
    )


def test_a_margin_beyond_all_numbers_is_refused() -> None:
    assert mistake(GAUGE, promoteMargin={"ratio": 1e308}) == (
        "promoteMargin: expected numbers of at most 1e+06, found 1e+308"
    )


@pytest.mark.parametrize(
    ("bounds", "message"),
    [
        (None, "bounds: is missing; it has no default"),
        ([0.1, 1], 'bounds: expected "+Inf" as the last bound, found 1'),
        ([1, 0.1, "+Inf"], "bounds[1]: expected more than the 1 before it, found 0.1"),
        ([1, "+Inf", "+Inf"], "bounds[2]: expected more than the inf before it, found inf"),
        (["+Inf"], 'bounds: expected 1 to 999 bounds and "+Inf", found 1 in all'),
        (["a", "+Inf"], "bounds[0]: expected a number, or \"+Inf\" as the last, found 'a'"),
    ],
)
def test_bounds_ascend_to_infinity(bounds: object, message: str) -> None:
    assert mistake(HISTOGRAM, bounds=bounds, objective=None) == message


@pytest.mark.parametrize(
    ("buckets", "message"),
    [
        ([1, 2, 3], "blocks[0].canary.buckets: expected 4 cumulative counts, one for each bound, found 3"),
        (
            [1, 3, 2, 4],
            "blocks[0].canary.buckets[2]: expected cumulative counts, at least the 3 before it, found 2",
        ),
        ([1, 2, 3, -4], "blocks[0].canary.buckets[3]: expected a count from 0 to 2^53, found -4"),
    ],
)
def test_buckets_are_cumulative(buckets: list[float], message: str) -> None:
    assert mistake(HISTOGRAM, blocks=[{"canary": {"buckets": buckets}}]) == message


def test_an_objective_lies_within_the_bounds() -> None:
    assert mistake(HISTOGRAM, objective=250) == "objective: expected at most the last finite bound, 1, found 250"


def test_a_gauge_has_no_absolute_margin() -> None:
    assert mistake(GAUGE, tolerance={"ratio": 2, "absolute": 1}) == (
        "tolerance.absolute: unknown key; expected one of ratio"
    )


def test_a_guard_needs_a_bound() -> None:
    assert mistake({"kind": "query", "blocks": []}) == "a query requires `min`, `max` or both"


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([], "metrics: expected at least one item, found an empty list"),
        ([{"kind": "ratio"}], "metrics[0].name: is missing; blocks name their metrics"),
        ([{"kind": "ratio", "name": "a"}] * 2, "metrics[1].name: 'a' is already the name of another metric"),
        ([{"kind": "ratio", "name": "a", "blocks": []}], "metrics[0].blocks: unknown key; expected one of importance"),
        ([{"kind": "ratio", "name": "a"}], "blocks[0].errors: unknown key; expected one of a"),
    ],
)
def test_a_whole_analysis_says_what_is_wrong(metrics: list[Any], message: str) -> None:
    assert mistake(WHOLE, metrics=metrics).startswith(message)


def test_a_place_in_a_whole_analysis_names_the_metric() -> None:
    blocks = json.loads(json.dumps(WHOLE["blocks"]))
    blocks[2]["errors"]["canary"]["events"] = 1000
    assert mistake(WHOLE, blocks=blocks).startswith("blocks[2].errors.canary.events: expected at most the 500 of total")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "not valid JSON: "),
        (b"\xff\xfe\xfd", "not valid JSON: "),
        (b"3", "expected an object such as"),
        (b'{"kind": NaN}', "not valid JSON: NaN is not a number that JSON knows"),
        (b'{"kind": -Infinity}', "not valid JSON: -Infinity is not a number that JSON knows"),
        (b'{"id": 1, "id": 2}', 'not valid JSON: the key "id" is given twice in one object'),
        (b"[" * 100_000, "not usable JSON: nested too deeply"),
    ],
)
def test_a_line_that_is_no_json_object_is_refused(line: bytes, message: str) -> None:
    with pytest.raises(CaseError) as refused:
        parse(line)
    assert str(refused.value).startswith(message)
