from __future__ import annotations

import re

from analyzer.model.metric import SeriesLabels
from analyzer.observation.edges import PodKey
from analyzer.observation.queries import ANSWER_POINTS, REGEX_LENGTH, pod_matchers

FLEET = [PodKey("shop", f"a-deployment-with-a-long-name-{number:05}") for number in range(20_000)]


def asked_for(pods: list[PodKey], most: int) -> list[tuple[str, list[str]]]:
    parts = [
        (str(names), re.findall(r"[\w-]+-\d+", str(names))) for _, names in pod_matchers(SeriesLabels(), pods, most)
    ]
    assert [name for _, names in parts for name in names] == [key.pod for key in pods]
    return parts


def test_a_fleet_of_five_thousand_pods_is_asked_for_at_once() -> None:
    assert len(asked_for(FLEET[:5_000], ANSWER_POINTS)) == 1


def test_more_pods_are_asked_for_in_parts_that_proxies_let_through() -> None:
    parts = asked_for(FLEET, ANSWER_POINTS)
    assert len(parts) == 2
    assert all(len(text) < REGEX_LENGTH + 100 for text, _ in parts)


def test_no_part_has_more_pods_than_an_answer_may_hold() -> None:
    assert [len(names) for _, names in asked_for(FLEET[:25], 10)] == [10, 10, 5]
