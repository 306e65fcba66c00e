"""Compressed JSON reads like the original."""

from __future__ import annotations

import tracemalloc

from analyzer.kube.compressed_json import CompressedJson, decompressed

CONTENT = {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": [{"name": "app", "env": [{"name": "A"}]}]}}


def test_is_the_mapping_that_it_was_made_from() -> None:
    compressed = CompressedJson(CONTENT)
    assert compressed == CONTENT
    assert dict(compressed) == CONTENT
    assert compressed["spec"] == CONTENT["spec"]
    assert compressed.get("missing") is None
    assert len(compressed) == 2
    assert "labels" in repr(compressed)


def test_can_be_compressed_again() -> None:
    assert CompressedJson(CompressedJson(CONTENT)) == CONTENT


def test_nobody_can_change_what_is_compressed() -> None:
    compressed = CompressedJson(CONTENT)
    compressed["spec"]["containers"].clear()
    assert compressed == CONTENT


def test_takes_a_small_part_of_the_memory() -> None:
    def env(number: int) -> list[dict[str, str]]:
        return [{"name": f"VARIABLE_{one}", "value": f"value {number} {one}"} for one in range(40)]

    tracemalloc.start()
    loose = [{"spec": {"env": env(number)}} for number in range(50)]
    in_full = tracemalloc.get_traced_memory()[0]
    kept = [CompressedJson(one) for one in loose]
    assert tracemalloc.get_traced_memory()[0] - in_full < in_full / 5
    tracemalloc.stop()
    assert len(kept) == len(loose)


def test_is_read_as_a_whole_compressed_or_not() -> None:
    content = {"conditions": [{"type": "Ready"}], "phase": "Running"}
    assert decompressed(CompressedJson(content)) == decompressed(content) == content
    assert decompressed(None) == {}
