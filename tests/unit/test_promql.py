from __future__ import annotations

import re

import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.promql import Matcher, MatchOperator, Selector, check_expression, one_of, parse_selector, with_matchers


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("http_requests_total", "http_requests_total"),
        ('a:b{code=~"5..",path!="/x"}', 'a:b{code=~"5..",path!="/x"}'),
        ('{__name__="x"}', "x"),
        ('{"http.requests",a="b"}', '{__name__="http.requests",a="b"}'),
        ('{__name__=~"a|b"}', '{__name__=~"a|b"}'),
        ("x{a='it''s'}".replace("''", "\\'"), 'x{a="it\'s"}'),
        (r'x{a="\\d\"q\n"}', r'x{a="\\d\"q\n"}'),
    ],
)
def test_a_selector_is_written_anew_with_the_same_meaning(text: str, written: str) -> None:
    assert str(parse_selector(text)) == written


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rate(x[5m])", "the function rate()"),
        ("x[5m]", "a range vector"),
        ("x + y", "an expression"),
        ("sum(x)", "an expression"),
        ("(x)", "an expression"),
        ("1", "a number"),
        ("x offset 5m", "found `offset` or `@`"),
        ("x @ 17", "found `offset` or `@`"),
        ("x @ end()", "found `offset` or `@`"),
        ('{a="1" or b="2"}', "`or`"),
        ("x{", "is not valid PromQL"),
        ("", "is not valid PromQL"),
        ('x{a=~"("}', "is not valid PromQL"),
        ('{a=""}', "is not valid PromQL"),
    ],
)
def test_anything_but_a_plain_selector_is_refused_with_what_was_found(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="expected a plain series selector") as refused:
        parse_selector(text)
    assert told in str(refused.value)


def test_matchers_are_added_behind_those_that_are_there() -> None:
    narrowed = with_matchers(parse_selector('x{code="500"}'), [one_of("pod", ["b", "a.c"])])
    assert str(narrowed) == 'x{code="500",pod=~"a\\\\.c|b"}'


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1), min_size=1, max_size=4))
def test_any_label_value_survives_being_written_and_read(values: list[str]) -> None:
    written = Selector(
        (Matcher.named("x"), *(Matcher(f"l{i}", MatchOperator.EQUAL, value) for i, value in enumerate(values)))
    )
    assert parse_selector(str(written)) == written


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_value_with_the_signs_of_regular_expressions_stands_for_itself(value: str) -> None:
    pattern = one_of("pod", [value, "other"]).value
    assert re.fullmatch(pattern, value)
    assert not re.fullmatch(pattern, value + "x")
    promql_parser.parse(str(Selector((Matcher.named("x"), one_of("pod", [value])))))


@pytest.mark.parametrize("text", ["sum(rate(x[5m]))", "x", "(x)", "1", "a / b > 0.5", "max_over_time(x[1h:1m])"])
def test_an_expression_with_numbers_as_its_result_is_accepted(text: str) -> None:
    check_expression(text)


@pytest.mark.parametrize("text", ["x[5m]", "x[1h:1m]", '"text"', '("text")', "sum(x", ""])
def test_an_expression_that_can_not_be_one_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected a PromQL expression with one number"):
        check_expression(text)
