"""PromQL that users wrote: plain series selectors, to which each release adds its own pods."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.config.keys import Around, KeyPath, Keys, Mistake, check
from analyzer.promql import MatchOperator, parse_selector


def selector_mistakes(path: KeyPath, text: str, around: Around) -> Iterator[Mistake]:
    """A selector that is none, or that has a matcher on the pod."""
    try:
        selector = parse_selector(text)
    except ValueError as error:
        yield (path, str(error))
        return
    labels = (around.labels.namespace, around.labels.pod) if around.labels else ()
    for matcher in selector.matchers:
        if matcher.label in labels:
            yield (path, f"remove the matcher {matcher}: each release adds its namespace and pods")


def bucket_mistakes(path: KeyPath, text: str, around: Around) -> Iterator[Mistake]:
    """The same for the buckets of a classic histogram; the series of a native one have no such suffix."""
    mistakes = list(selector_mistakes(path, text, around))
    yield from mistakes
    if mistakes:
        return
    matchers = parse_selector(text).matchers
    for matcher in matchers:
        if matcher.label == "le":
            yield (path, f"remove the matcher {matcher}: every boundary is compared")
    names = [one.value for one in matchers if one.label == "__name__" and one.operator is MatchOperator.EQUAL]
    if not any(name.endswith("_bucket") for name in names):
        message = (
            f"expected the `_bucket` series of a classic histogram, found {text!r}; native histograms are not "
            "supported yet: let Prometheus keep the classic buckets too (always_scrape_classic_histograms: true)"
        )
        yield (path, message)


class SelectorKeys(Keys):
    """Keys whose texts are selectors."""

    @check
    def _selectors(self, around: Around) -> Iterator[Mistake]:
        for name, value in vars(self).items():
            if isinstance(value, str):
                yield from selector_mistakes((name,), value, around)
