"""The bound of a bucket in every spelling that Prometheus may have stored. Used by `queries`.

Prometheus 3 writes a bound anew when it scrapes it ("1" becomes "1.0"), Prometheus 2 keeps what the pod wrote. A
user's `le="1"` has to find either one, and for a while after an upgrade both are there.
"""

from __future__ import annotations

import math
from decimal import Decimal

from analyzer.promql import Matcher, MatchOperator, Selector, one_of

BOUND = "le"


def match_any_spelling(selector: Selector) -> Selector | None:
    """The selector with the bound that it names (`le="0.5"`) in all its spellings; None where it names no bound."""
    matchers = tuple(map(_spelled, selector.matchers))
    return None if matchers == selector.matchers else Selector(matchers)


def _spelled(matcher: Matcher) -> Matcher:
    if matcher.label != BOUND or matcher.operator is not MatchOperator.EQUAL:
        return matcher
    try:
        bound = float(matcher.value)
    except ValueError:
        return matcher
    return one_of(BOUND, {matcher.value, *_spellings(bound)}) if math.isfinite(bound) else matcher


def _spellings(bound: float) -> set[str]:
    """As whole digits, with a point, and with an exponent of two digits as Go writes it."""
    digits = f"{Decimal(repr(bound)):f}"
    whole = digits.removesuffix(".0")
    mantissa, exponent = f"{Decimal(whole).normalize():e}".split("e")
    return {whole, whole if "." in whole else f"{whole}.0", f"{mantissa}e{int(exponent):+03d}"}
