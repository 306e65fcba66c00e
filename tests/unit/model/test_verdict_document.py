"""Numbers of a verdict in JSON, which status, history, alerts, the log and `judge` share."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from analyzer.model.block import Counts
from analyzer.model.noise import BoundNoise, Noise
from analyzer.model.plain_json import plain_json
from analyzer.model.verdict import Classification, LogEvidence, MetricVerdict
from analyzer.model.verdict_document import Levels, metric_document, metric_documents

METRIC = MetricVerdict(
    "errors",
    Classification.UNDECIDED,
    "",
    canary=Counts(12.0, 310.12345),
    ratio=1.23456789,
    interval=(0.987654321, inf),
    evidence=LogEvidence(abort=1.23456789, promote=-inf, advance=2.9999, abort_at=4.60517, promote_at=3.0),
    noise=Noise(1.3333333, 0.0333333, 0.1, "stated", (BoundNoise(1.0, 0.0),)),
    levels=(1_234_567.0, 0.123456),
)


def test_numbers_have_four_decimals_counts_three_and_levels_four_digits() -> None:
    found = metric_document(METRIC)

    assert plain_json(found.canary) == {"events": 12, "total": 310.123}
    assert (found.ratio, found.levels) == (1.2346, Levels(1_235_000.0, 0.1235))
    assert plain_json(found.noise) == {"dispersion": 1.3333, "podSpread": 0.0333, "withinPod": 0.1, "source": "stated"}


def test_what_is_not_bounded_is_null() -> None:
    found = plain_json(metric_document(METRIC))

    assert found["interval"] == [0.9877, None]
    assert found["logEvidence"]["promote"] is None
    assert plain_json(metric_document(replace(METRIC, ratio=inf)))["ratio"] is None


def test_progress_is_rounded_down_so_that_1_means_decided() -> None:
    assert plain_json(metric_document(METRIC).evidence) == {"abort": 0.268, "promote": 0.0, "advance": 0.999}


def test_numbers_can_be_had_as_they_are() -> None:
    found = metric_document(METRIC, digits=None)

    assert (found.ratio, found.interval) == (1.23456789, (0.987654321, None))
    assert found.log_evidence is not None
    assert found.noise is not None
    assert (found.log_evidence.abort, found.noise.dispersion) == (1.23456789, 1.3333333)


def test_without_a_verdict_there_are_no_metrics() -> None:
    assert metric_documents(None) == ()
