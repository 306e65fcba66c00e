"""The fence's patches, word for word: under both keys, and as an earlier version made them under its only one."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.actuation.fence import claimed, claiming, fenced, moving
from analyzer.kube.objects import Json
from analyzer.model.errors import ConflictError
from analyzer.model.target import Side
from analyzer.model.workload import Scale
from tests.fakes.earlier_version import earlier_version
from tests.fakes.kube_objects import deployment

NEW, OLD = "canary-analyzer.io/epoch", "canary-analyzer/epoch"
NEW_PATH, OLD_PATH = "/metadata/annotations/canary-analyzer.io~1epoch", "/metadata/annotations/canary-analyzer~1epoch"
UID = {"op": "test", "path": "/metadata/uid", "value": "u-1"}
VERSION = {"op": "test", "path": "/metadata/resourceVersion", "value": "41"}
SCALE = [
    {"op": "test", "path": "/spec/replicas", "value": 4},
    {"op": "replace", "path": "/spec/replicas", "value": 3},
]


def web(annotations: dict[str, str] | None = None) -> Json:
    body: dict[str, Any] = deployment("web", 4)
    body["metadata"] |= {"uid": "u-1", "resourceVersion": "41"}
    if annotations is not None:
        body["metadata"]["annotations"] = annotations
    return body


def claim(annotations: dict[str, str] | None, epoch: int = 7) -> list[dict[str, Any]]:
    return claiming(web(annotations), epoch, "claim web")


def test_a_deployment_without_annotations_gets_both_keys_at_once() -> None:
    both = {"op": "add", "path": "/metadata/annotations", "value": {NEW: "7", OLD: "7"}}
    assert claim(None) == claim({}) == [UID, VERSION, both]


def test_an_unclaimed_deployment_keeps_its_other_annotations() -> None:
    added = [{"op": "add", "path": path, "value": "7"} for path in (NEW_PATH, OLD_PATH)]
    assert claim({"team": "shop"}) == [UID, VERSION, *added]


def test_a_claim_of_an_earlier_version_is_tested_and_raised_and_the_other_key_is_added() -> None:
    assert claim({OLD: "5"}) == [
        UID,
        VERSION,
        {"op": "test", "path": OLD_PATH, "value": "5"},
        {"op": "add", "path": NEW_PATH, "value": "7"},
        {"op": "replace", "path": OLD_PATH, "value": "7"},
    ]


def test_both_keys_are_tested_with_the_values_that_were_found_and_raised_in_one_patch() -> None:
    assert claim({NEW: "4", OLD: "5"}) == [
        UID,
        {"op": "test", "path": NEW_PATH, "value": "4"},
        {"op": "test", "path": OLD_PATH, "value": "5"},
        {"op": "replace", "path": NEW_PATH, "value": "7"},
        {"op": "replace", "path": OLD_PATH, "value": "7"},
    ]


def test_a_deployment_that_is_ours_is_tested_under_both_keys_and_not_claimed_again() -> None:
    assert claim({NEW: "7", OLD: "7"}) == [
        UID,
        {"op": "test", "path": NEW_PATH, "value": "7"},
        {"op": "test", "path": OLD_PATH, "value": "7"},
    ]


@pytest.mark.parametrize("found", [{NEW: "8"}, {OLD: "8"}, {NEW: "7", OLD: "8"}, {NEW: "8", OLD: "7"}], ids=str)
def test_a_newer_epoch_under_either_key_refuses(found: dict[str, str]) -> None:
    with pytest.raises(ConflictError, match="Deployment web is claimed by epoch 8, this daemon has epoch 7"):
        claim(found)


@pytest.mark.parametrize(
    ("found", "complete", "ours"),
    [
        ({NEW: "7", OLD: "7"}, True, True),
        ({NEW: "7", OLD: "6"}, True, False),
        ({NEW: "7"}, False, False),
        ({OLD: "7"}, False, False),
        (None, False, False),
    ],
    ids=str,
)
def test_only_both_keys_with_our_epoch_are_a_claim_of_ours(
    found: dict[str, str] | None, *, complete: bool, ours: bool
) -> None:
    assert (fenced(web(found)), claimed(web(found), 7)) == (complete, ours)


EARLIER = [
    (None, [UID, VERSION, {"op": "add", "path": "/metadata/annotations", "value": {OLD: "7"}}]),
    ({"team": "shop"}, [UID, VERSION, {"op": "add", "path": OLD_PATH, "value": "7"}]),
    (
        {OLD: "5"},
        [UID, {"op": "test", "path": OLD_PATH, "value": "5"}, {"op": "replace", "path": OLD_PATH, "value": "7"}],
    ),
    ({OLD: "7"}, [UID, {"op": "test", "path": OLD_PATH, "value": "7"}]),
    ({NEW: "9"}, [UID, VERSION, {"op": "add", "path": OLD_PATH, "value": "7"}]),
    (
        {NEW: "9", OLD: "x"},
        [UID, {"op": "test", "path": OLD_PATH, "value": "x"}, {"op": "replace", "path": OLD_PATH, "value": "7"}],
    ),
]


@pytest.mark.parametrize(("found", "patch"), EARLIER, ids=[str(found) for found, _ in EARLIER])
def test_an_earlier_version_tests_and_raises_the_legacy_key_alone(
    found: dict[str, str] | None, patch: list[dict[str, Any]]
) -> None:
    """What the stand-in for earlier versions (`tests.fakes.earlier_version`) has to be: version 0.1.0 as it was."""
    with earlier_version():
        assert claim(found) == patch
        assert moving(web(found), Scale(Side.STABLE, "web", "u-1", 4, 3), 7) == [*patch, *SCALE]


def test_an_earlier_version_refuses_a_newer_epoch_under_the_legacy_key_alone() -> None:
    with earlier_version():
        with pytest.raises(ConflictError):
            claim({OLD: "8"})
        assert not fenced(web({NEW: "8"}))
        assert claimed(web({NEW: "8", OLD: "7"}), 7)
