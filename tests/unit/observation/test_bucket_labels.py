from __future__ import annotations

import pytest

from analyzer.observation.bucket_labels import match_any_spelling
from analyzer.promql import parse_selector


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("1", 'le=~"1|1\\\\.0|1e\\\\+00"'),
        ("1.0", 'le=~"1|1\\\\.0|1e\\\\+00"'),
        ("0.25", 'le=~"0\\\\.25|2\\\\.5e-01"'),
        ("2.5e+06", 'le=~"2\\\\.5e\\\\+06|2500000|2500000\\\\.0"'),
        ("5e-05", 'le=~"0\\\\.00005|5e-05"'),
    ],
)
def test_a_named_bound_is_looked_for_in_all_its_spellings(written: str, found: str) -> None:
    assert str(match_any_spelling(parse_selector(f'seconds_bucket{{le="{written}"}}'))) == f"seconds_bucket{{{found}}}"


@pytest.mark.parametrize(
    "selector",
    ["hits_total", 'seconds_bucket{le="+Inf"}', 'seconds_bucket{le=~"1|2"}', 'seconds_bucket{le!="1"}', 'a{le="x"}'],
)
def test_whatever_names_no_finite_bound_is_left_as_it_is(selector: str) -> None:
    assert match_any_spelling(parse_selector(selector)) is None
