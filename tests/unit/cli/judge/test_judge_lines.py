"""`judge` reads a line, judges it, writes a line, and goes on."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli.judge.command import results
from tests.unit.cli.judge.cases import EVERY_KIND, QUERY, RATIO, WHOLE
from tests.unit.cli.test_app import run

EXACT = {"dispersion": 1, "podSpread": 0}


def ratio(*blocks: tuple[int, int, int, int], **keys: Any) -> dict[str, Any]:
    """Blocks of (canary's events, its total, stable's events, its total) with exact noise."""
    listed = [{"canary": {"events": a, "total": b}, "stable": {"events": c, "total": d}} for a, b, c, d in blocks]
    return {"id": "c", "kind": "ratio", "noise": EXACT, "blocks": listed, **keys}


BAD, GOOD, LIKE = (30, 300, 27, 2700), (3, 3000, 27, 27000), (3, 300, 27, 2700)


def judged(*cases: object) -> list[dict[str, Any]]:
    lines = [json.dumps(case).encode() + b"\n" for case in cases]
    return [json.loads(one.as_json()) for one in results(lines)]


def test_a_canary_that_fails_is_aborted_at_the_first_block_that_proves_it() -> None:
    (found,) = judged(ratio(LIKE, LIKE, BAD, BAD, BAD))
    assert list(found) == [
        "id",
        "classification",
        "verdict",
        "decidedAt",
        "logEvidence",
        "ratio",
        "interval",
        "noise",
        "reason",
    ]
    assert (found["id"], found["classification"], found["verdict"]) == ("c", "HIGH", "FAIL")
    assert found["decidedAt"] in (2, 3)
    assert found["logEvidence"]["abort"] > 4.6
    assert found["noise"] == {**EXACT, "source": "stated"}
    assert found["interval"][0] < found["ratio"] < found["interval"][1]
    assert "canary" in found["reason"]


def test_a_healthy_canary_is_promoted_in_the_last_step_only() -> None:
    (found,) = judged(ratio(*[GOOD] * 9, steps=[0, 3, 6]))
    assert (found["classification"], found["verdict"]) == ("PASS", "PASS")
    assert found["decidedAt"] >= 6


def test_without_enough_evidence_nothing_is_decided() -> None:
    (found,) = judged(ratio(LIKE))
    assert (found["classification"], found["verdict"], found["decidedAt"]) == ("UNDECIDED", "INCONCLUSIVE", None)


def test_what_comes_after_a_decision_changes_nothing() -> None:
    (short,) = judged(ratio(LIKE, BAD, BAD))
    (long,) = judged(ratio(LIKE, BAD, BAD, LIKE, (0, 300, 2700, 2700), BAD))
    assert short["decidedAt"] is not None
    assert long == short


def test_without_data_nothing_passes() -> None:
    absent, idle = judged(ratio(blocks=[None] * 50), ratio(*[(0, 0, 0, 0)] * 50))
    assert (absent["classification"], absent["verdict"]) == ("NO_DATA", "INCONCLUSIVE")
    assert (idle["verdict"], idle["decidedAt"], idle["ratio"], idle["interval"]) == ("INCONCLUSIVE", None, None, None)


def test_a_block_with_one_side_is_no_evidence() -> None:
    one_sided = [{"canary": {"events": 300, "total": 300}}] * 20
    (found,) = judged(ratio(blocks=one_sided))
    assert (found["classification"], found["verdict"]) == ("NO_DATA", "INCONCLUSIVE")


def test_a_thousand_million_requests_in_a_block_stay_finite() -> None:
    (found,) = judged(ratio((10**7, 10**9, 10**7, 10**9), (10**9, 10**9, 0, 10**9)))
    assert found["verdict"] in ("PASS", "FAIL")


def test_an_interval_without_end_is_null() -> None:
    (found,) = judged(ratio((9, 50, 0, 5000)))
    assert found["interval"][0] > 1
    assert found["interval"][1] is None


@pytest.mark.parametrize("case", EVERY_KIND, ids=lambda case: case["id"])
def test_every_kind_is_judged(case: dict[str, Any]) -> None:
    (found,) = judged(case)
    assert found["id"] == case["id"]
    assert found["verdict"] in ("PASS", "FAIL", "INCONCLUSIVE")


def test_a_guard_breaks_after_as_many_blocks_as_it_says() -> None:
    (found,) = judged({**QUERY, "scope": "canary", "blocks": [{"value": 1}, {}, {"value": 1}, {"value": 1}]})
    assert (found["classification"], found["verdict"], found["decidedAt"]) == ("HIGH", "FAIL", 3)


def test_a_whole_analysis_names_its_culprit() -> None:
    bad = {"canary": {"events": 200, "total": 500}, "stable": {"events": 9, "total": 4500}}
    blocks = [{"errors": bad, "slo": {"value": 0.01}}] * 3
    (found,) = judged({**WHOLE, "noise": EXACT, "blocks": blocks})
    assert (found["verdict"], found["culprit"], found["decidedAt"]) == ("FAIL", "errors", 0)
    assert [(one["name"], one["classification"]) for one in found["metrics"]] == [
        ("errors", "HIGH"),
        ("slo", "UNDECIDED"),
    ]


def test_a_guard_on_both_sides_holds_a_proven_canary() -> None:
    errors = {"canary": {"events": 3, "total": 9000}, "stable": {"events": 27, "total": 81000}}
    metrics = [{"name": "errors", "kind": "ratio"}, {"name": "slo", "kind": "query", "max": 0.05, "for": 1}]
    bad, good = {"errors": errors, "slo": {"value": 1}}, {"errors": errors, "slo": {"value": 0}}
    case = {"noise": EXACT, "metrics": metrics}
    held, let_go = judged({**case, "blocks": [bad, bad]}, {**case, "blocks": [bad, bad, good]})
    assert (held["verdict"], held["decidedAt"]) == ("INCONCLUSIVE", None)
    assert "slo" in held["reason"]
    assert (let_go["verdict"], let_go["decidedAt"]) == ("PASS", 2)


def test_a_canary_pod_that_was_never_measured_keeps_the_others_from_being_promoted() -> None:
    block = ratio(GOOD)["blocks"][0]
    pods = {"pods": {"c-1": block["canary"], "c-2": None}}
    stable = {"pods": {f"s-{n}": {"events": 3, "total": 3000} for n in range(9)}}
    (found,) = judged(ratio(blocks=[{"canary": pods, "stable": stable}] * 9))
    assert (found["verdict"], found["decidedAt"]) == ("INCONCLUSIVE", None)
    assert "not every canary pod is measured" in found["reason"]


def test_a_bad_line_says_where_it_is_and_the_others_go_on() -> None:
    lines = [
        b'{"id": "a"}\n',
        b"\n",
        b"nonsense\n",
        json.dumps({**RATIO, "id": ["any", 1]}).encode(),
    ]
    found = [json.loads(one.as_json()) for one in results(lines)]
    assert found[0] == {
        "id": "a",
        "error": "kind: is missing; expected ratio | histogram | gauge | rate | restarts | query",
        "line": 1,
    }
    assert (found[1]["id"], found[1]["line"]) == (None, 3)
    assert found[1]["error"].startswith("not valid JSON")
    assert found[2]["id"] == ["any", 1]


def test_a_line_is_judged_before_the_next_one_is_read() -> None:
    read = 0

    def lines() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield json.dumps(RATIO).encode()

    endless = results(lines())
    for count in range(1, 4):
        next(endless)
        assert read == count


def test_status_is_1_when_a_line_was_bad(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(RATIO) + "\n{}\n" + json.dumps(WHOLE) + "\n")
    assert run("judge", str(file)) == 1
    first, second, third = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["id"], second["line"], third["id"]) == ("c1", 2, "w1")


def test_status_is_0_for_a_canary_that_failed(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(ratio(BAD, BAD)))
    assert run("judge", str(file)) == 0


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(RATIO).encode())))
    assert run("judge", "-") == 0
    assert json.loads(capsys.readouterr().out)["id"] == "c1"


def test_a_table_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(json.dumps(ratio(BAD, BAD)) + "\n{}\n" + json.dumps({**WHOLE, "id": None}) + "\n")
    assert run("judge", "-o", "table", str(file)) == 1
    head, failed, error, whole = capsys.readouterr().out.splitlines()
    assert head.split() == ["ID", "VERDICT", "METRIC", "AT", "REASON"]
    assert failed.split()[:4] == ["c", "FAIL", "HIGH", "0"]
    assert "line 2: kind: is missing" in error
    assert whole.startswith(" " * 14 + "INCONCLUSIVE")


@pytest.mark.parametrize("output", ["json", "table"])
def test_an_id_that_no_encoding_has_keeps_no_other_line_from_being_judged(tmp_path: Path, output: str) -> None:
    file, out = tmp_path / "cases.jsonl", io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    half = {**ratio(LIKE), "id": "half \ud800 \u00e9"}
    file.write_text(f"{json.dumps(half)}\n{json.dumps(ratio(LIKE, id='next'))}\n", encoding="ascii")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stdout", out)
        assert run("judge", str(file), "-o", output) == 0
    out.seek(0)
    lines = out.read().splitlines()
    assert "next" in lines[-1]
    if output == "json":
        assert json.loads(lines[0])["id"] == half["id"]


def test_a_file_that_is_not_there_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("judge", "nothing.jsonl") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert (
        err == "error: nothing.jsonl: cannot be read: No such file or directory; expected a file of JSON Lines, or -\n"
    )
