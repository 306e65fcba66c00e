"""PromQL as far as this program reads and writes it: plain series selectors, given more matchers.

`config` checks what users wrote with it, `observation` narrows their selectors to the pods of a release.
A selector is read by a parser and written anew from its parts; no text is ever cut or glued.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import promql_parser
from promql_parser import ParenExpr, VectorSelector

_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*", re.ASCII)
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_REGEX_SIGNS = re.compile(r"[\\.+*?()|\[\]{}^$]")
_NAME_LABEL = "__name__"


class MatchOperator(StrEnum):
    """How a label's value is compared."""

    EQUAL = "="
    NOT_EQUAL = "!="
    MATCHES = "=~"
    NOT_MATCHES = "!~"


_OPERATORS = {
    "MatchOp.Equal": MatchOperator.EQUAL,
    "MatchOp.NotEqual": MatchOperator.NOT_EQUAL,
    "MatchOp.Re": MatchOperator.MATCHES,
    "MatchOp.NotRe": MatchOperator.NOT_MATCHES,
}


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label. `str` writes it with quotes and escapes."""

    label: str
    operator: MatchOperator
    value: str

    @classmethod
    def named(cls, metric: str) -> Matcher:
        """The matcher of a metric's name."""
        return cls(_NAME_LABEL, MatchOperator.EQUAL, metric)

    def __str__(self) -> str:
        label = self.label if _LABEL.fullmatch(self.label) else _quoted(self.label)
        return f"{label}{self.operator}{_quoted(self.value)}"


@dataclass(frozen=True, slots=True)
class Selector:
    """A plain series selector; the metric's name is a matcher on `__name__`. `str` writes it as PromQL."""

    matchers: tuple[Matcher, ...]

    def __str__(self) -> str:
        names = [matcher.value for matcher in self.matchers if _plain_name(matcher)][:1]
        rest = [matcher for matcher in self.matchers if not (names and _plain_name(matcher))]
        braces = "{" + ",".join(str(matcher) for matcher in rest) + "}" if rest else ""
        return "".join(names) + braces


def _plain_name(matcher: Matcher) -> bool:
    return (
        matcher.label == _NAME_LABEL
        and matcher.operator is MatchOperator.EQUAL
        and _NAME.fullmatch(matcher.value) is not None
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def parse_selector(text: str) -> Selector:
    """Read a plain series selector such as `http_requests_total{code=~"5.."}`.

    Raises ValueError, with what to do, for anything else: functions, operators, ranges, `offset`, `@`, `or`.
    """
    wanted = 'expected a plain series selector such as http_requests_total{code=~"5.."}'
    expression = _parse(text, wanted)
    if not isinstance(expression, VectorSelector):
        raise ValueError(  # noqa: TRY004 - it is the text that is wrong, not a Python type
            f"{wanted}, found {_kind(expression)} in {text!r}; give the series alone; rates and sums "
            f"are computed for it"
        )
    if expression.offset is not None or expression.at is not None:
        raise ValueError(f"{wanted}, found `offset` or `@` in {text!r}; leave it out")
    if expression.matchers.or_matchers:
        raise ValueError(f"{wanted}, found `or` between matchers in {text!r}; use a regular expression instead")
    written = [Matcher(m.name, _OPERATORS[str(m.op)], m.value) for m in expression.matchers.matchers]
    if expression.name is not None:
        written.insert(0, Matcher.named(expression.name))
    return Selector(tuple(written))


def with_matchers(selector: Selector, matchers: Iterable[Matcher]) -> Selector:
    """The same selector, narrowed by more matchers."""
    return Selector(selector.matchers + tuple(matchers))


def one_of(label: str, values: Iterable[str]) -> Matcher:
    """A matcher for a label that has one of these values, exactly. Give at least one."""
    return Matcher(
        label, MatchOperator.MATCHES, "|".join(_REGEX_SIGNS.sub(r"\\\g<0>", value) for value in sorted(values))
    )


def check_expression(text: str) -> None:
    """Check that this is PromQL whose result may be one number. Raises ValueError, with what to do, otherwise."""
    wanted = "expected a PromQL expression with one number as its result"
    expression = _parse(text, wanted)
    while isinstance(expression, ParenExpr):
        expression = expression.expr
    kind = _kind(expression)
    if kind in ("a range vector", "a string"):
        raise ValueError(f"{wanted}, found {kind} in {text!r}; use a function such as rate(...) or sum(...)")


def _parse(text: str, wanted: str) -> Any:
    try:
        return promql_parser.parse(text)
    except ValueError as error:
        raise ValueError(f"{wanted}, found {text!r}, which is not valid PromQL: {error}") from error


def _kind(expression: Any) -> str:
    match type(expression).__name__:
        case "MatrixSelector" | "SubqueryExpr":
            return "a range vector"
        case "StringLiteral":
            return "a string"
        case "NumberLiteral":
            return "a number"
        case "Call":
            return f"the function {expression.func.name}()"
        case _:
            return "an expression"
