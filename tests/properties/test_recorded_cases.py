"""Whatever stands in a file, each line gets a verdict or a mistake; and what comes after a verdict changes nothing."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cli.judge.command import results
from tests.unit.cli.judge.cases import EVERY_KIND

QUICK = settings(max_examples=300, deadline=None)
LINES = [json.dumps(case).encode() for case in EVERY_KIND]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 2000),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, 1, 2**53, 2**53 + 1, 10**400, 1e308, 5e-324, -0.0, "", "+Inf", "ratio", "histogram", "é\x00"]),
    st.text(max_size=4),
)
words = st.sampled_from(
    ["pods", "events", "total", "value", "buckets", "canary", "stable", "kind", "ratio", "absolute"]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=5
)


def spots(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in entries:
        found += spots(child, (*path, key))
    return found


PLACES = [(number, spot) for number, case in enumerate(EVERY_KIND) for spot in spots(case)]


def judged(line: bytes) -> dict[str, Any]:
    """The one result, after JSON: which refuses NaN and infinity."""
    (one,) = results([line])
    one.as_row()
    found: dict[str, Any] = json.loads(one.as_json())
    if one.failed:
        assert set(found) == {"id", "error", "line"}
        assert found["error"]
    else:
        assert found["verdict"] in ("PASS", "FAIL", "INCONCLUSIVE")
        assert (found["decidedAt"] is None) == (found["verdict"] == "INCONCLUSIVE")
    return found


@QUICK
@given(changes=st.lists(st.tuples(st.sampled_from(PLACES), values), min_size=1, max_size=3), remove=st.booleans())
def test_any_value_in_any_place(changes: list[tuple[tuple[int, tuple[Any, ...]], Any]], *, remove: bool) -> None:
    number = changes[0][0][0]
    case = json.loads(LINES[number])
    for (other, spot), value in changes:
        place = case
        try:
            for key in spot[:-1]:
                place = place[key]
            if remove:
                del place[spot[-1]]
            else:
                place[spot[-1]] = copy.deepcopy(value)
        except (KeyError, IndexError, TypeError):
            assert other != number or len(changes) > 1  # a spot of another case, or one that an earlier change took
    judged(json.dumps(case).encode())


@QUICK
@given(line=st.sampled_from(LINES), start=st.integers(0, 900), length=st.integers(0, 30), text=st.binary(max_size=6))
def test_any_change_of_the_bytes(line: bytes, start: int, length: int, text: bytes) -> None:
    changed = line[:start] + text.replace(b"\n", b" ") + line[start + length :]
    if changed.strip():
        judged(changed)


counts = st.integers(0, 400).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))
sides = st.none() | counts.map(lambda pair: {"events": pair[0], "total": pair[1]})


@QUICK
@given(
    blocks=st.lists(st.fixed_dictionaries({"canary": sides, "stable": sides}), min_size=1, max_size=12),
    steps=st.sampled_from([[0], [0, 2], [0, 1, 3]]),
    data=st.data(),
)
def test_what_comes_after_a_decision_changes_nothing(
    blocks: list[dict[str, Any]], steps: list[int], data: st.DataObject
) -> None:
    case = {"kind": "ratio", "steps": steps, "noise": {"dispersion": 1, "podSpread": 0}, "falseAbort": 0.2}
    whole = judged(json.dumps({**case, "blocks": blocks}).encode())
    if whole["decidedAt"] is None:
        return
    end = data.draw(st.integers(whole["decidedAt"] + 1, len(blocks)))
    assert judged(json.dumps({**case, "blocks": blocks[:end]}).encode()) == whole
    earlier = judged(json.dumps({**case, "blocks": blocks[: whole["decidedAt"]]}).encode())
    assert earlier["decidedAt"] is None
