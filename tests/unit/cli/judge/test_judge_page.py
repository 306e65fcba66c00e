"""The page about the format shows lines that are really judged."""

from __future__ import annotations

import json
import re
from pathlib import Path

from analyzer.cli.judge.command import results

PAGE = (Path(__file__).parents[4] / "docs" / "judge-file.md").read_text()
LINES = [line for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def test_every_line_of_the_page_is_judged() -> None:
    found = [json.loads(one.as_json()) for one in results(line.encode() for line in LINES)]
    assert len(found) == len(LINES) >= 9
    assert [one for one in found if "error" in one] == []
    verdicts = {one["id"]: (one["verdict"], one["decidedAt"]) for one in found}
    assert verdicts["c1"] == ("FAIL", 0)
    assert verdicts["slo"] == ("FAIL", 4)
    assert verdicts["release 7"] == ("FAIL", 1)


def test_the_result_on_the_page_has_the_keys_of_a_real_one() -> None:
    (shown,) = re.findall(r"^(\{.*\"decidedAt\": 17.*\})$", PAGE, re.MULTILINE)
    (real,) = results([LINES[0].encode()])
    assert list(json.loads(shown)) == list(json.loads(real.as_json()))
    assert json.loads(shown)["noise"].keys() == json.loads(real.as_json())["noise"].keys()
