"""The pod's behaviour as its template's environment asks for it."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.sandbox.keepalive import HttpAnswer
from analyzer.sandbox.pod import PodSettings, ShopApp
from analyzer.sandbox.template import container_env, pod_template, with_env


def app(**env: str) -> ShopApp:
    return ShopApp(PodSettings.from_env({"POD_NAME": "pod-a", **env}))


def test_fails_the_share_of_requests_that_it_is_told_to() -> None:
    shop = app(ERROR_RATE="0.25", SEED="7")
    failed = sum(shop.serve("/").status == 500 for _ in range(4000))
    assert 900 < failed < 1100


def test_the_same_seed_gives_the_same_failures_but_not_in_another_pod() -> None:
    def coins(name: str) -> list[int]:
        shop = app(ERROR_RATE="0.5", SEED="7", POD_NAME=name)
        return [shop.serve("/").status for _ in range(50)]

    assert coins("a") == coins("a")
    assert coins("a") != coins("b")


def test_errors_can_wait_for_a_file(tmp_path: Path) -> None:
    trouble = tmp_path / "trouble"
    shop = app(ERROR_RATE="1", ERRORS_WHEN=str(trouble))
    assert shop.serve("/").status == 200
    trouble.touch()
    assert shop.serve("/").status == 500


def test_median_latency_is_as_told_with_a_longer_tail_above() -> None:
    shop = app(LATENCY_MS="20")
    delays = [shop.serve("/").delay for _ in range(4000)]
    median = statistics.median(delays)
    assert median == pytest.approx(0.020, rel=0.05)
    assert max(delays) - median > median - min(delays)


def test_is_not_ready_until_it_says_so() -> None:
    shop = app()
    assert shop.serve("/ready").status == 503
    shop.ready = True
    assert shop.serve("/ready").status == 200


def test_other_paths_are_not_found_and_not_counted() -> None:
    shop = app()
    assert (shop.serve("/x").status, shop.expose("/").status) == (404, 404)
    assert b'code="404"' not in shop.metrics.exposition()


def test_exports_what_a_canary_is_judged_by() -> None:
    shop = app(VERSION="v7", POD_NAMESPACE="ns")
    shop.metrics.count(500, 0.007)
    lines = shop.expose("/metrics").body.decode().splitlines()
    labels = 'method="GET",namespace="ns",pod="pod-a",version="v7"'
    assert f'http_requests_total{{code="500",{labels}}} 1.0' in lines
    assert f'http_requests_total{{code="200",{labels}}} 0.0' in lines
    assert f'http_request_duration_seconds_bucket{{le="0.005",{labels}}} 0.0' in lines
    assert f'http_request_duration_seconds_bucket{{le="0.01",{labels}}} 1.0' in lines
    own = 'namespace="ns",pod="pod-a"'
    gauges = {line.split(" ")[0]: float(line.split(" ")[1]) for line in lines if line.startswith("process_")}
    assert gauges[f"process_start_time_seconds{{{own}}}"] > 1.6e9
    assert gauges[f"process_resident_memory_bytes{{{own}}}"] > 1e6
    assert not any("_created" in line for line in lines)


def test_a_draining_pod_announces_that_the_connection_ends() -> None:
    answer = HttpAnswer(200, b"hi")
    assert b"Connection: keep-alive\r\n" in answer.encode(keep_alive=True)
    assert answer.encode(keep_alive=False).endswith(b"Connection: close\r\n\r\nhi")


def test_refuses_settings_that_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="lots"):
        PodSettings.from_env({"ERROR_RATE": "lots"})


def test_changes_to_a_template_set_replace_and_remove() -> None:
    template = pod_template({"app": "web"}, {"A": "1", "B": "2", "C": None})
    changed = with_env(template, {"A": None, "B": "3", "D": "4"})
    assert container_env(changed) == {"B": "3", "D": "4"}
    assert container_env(template) == {"A": "1", "B": "2"}
    assert changed["metadata"] == template["metadata"]


@pytest.mark.parametrize("program", ["pod", "traffic"])
def test_programs_import_nothing_heavy(program: str) -> None:
    heavy = "{'numpy', 'scipy', 'pydantic', 'kubernetes', 'requests', 'analyzer.model'}"
    check = f"import sys, analyzer.sandbox.{program}; print(*({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
