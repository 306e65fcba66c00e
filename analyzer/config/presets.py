"""Metrics by name: the selectors that a preset stands for."""

from __future__ import annotations

from analyzer.config.keys_analysis import PresetKeys
from analyzer.promql import Matcher, Operator, Selector, with_matchers


def http_errors(keys: PresetKeys) -> tuple[str, str]:
    """Selectors of failed requests and of all requests, of a counter with the status code in a label."""
    total = Selector((Matcher("__name__", Operator.EQUAL, keys.series),))
    events = with_matchers(total, [Matcher(keys.code_label, Operator.MATCHES, keys.codes)])
    return str(events), str(total)
