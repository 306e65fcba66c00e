"""Words that no default text may have. Unit tests look for them in the sources, scenarios and the end-to-end tests in
all that a run has told: reasons, alerts, statuses, `why`, Events, log lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

BANNED = (
    "nats",
    "phi",
    "tau",
    "e-value",
    "e-process",
    "log evidence",
    "at level",
    "at rest",
    "given up",
    "gives up",
    "can't",
    "don't",
    "doesn't",
    "isn't",
    "won't",
    "speaks",
    "is theirs",
    "is ours",
    "made anew",
    "made again",
    "looked at",
    "nobody",
    "somebody",
    "whoever",
    "alike",
)

TECHNICAL = frozenset({"logEvidence", "noise", "query"})
"""Keys of JSON whose values are for programs and for `why --details`."""

_BANNED = re.compile(r"(?<![\w-])(?:" + "|".join(map(re.escape, BANNED)) + r")(?![\w-])", re.IGNORECASE)
_CODE = re.compile(r"`[^`]*`")


def jargon_in(text: str) -> list[str]:
    """The banned words of a text, in order; what stands in backquotes is a name and not prose."""
    return [found.group().lower() for found in _BANNED.finditer(_CODE.sub("", text))]


def prose_of(document: Any) -> Iterator[str]:
    """Every text in a JSON document that people read."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, Mapping):
        for key, value in document.items():
            if key not in TECHNICAL:
                yield from prose_of(value)
    elif isinstance(document, Sequence):
        for value in document:
            yield from prose_of(value)


def assert_plain(texts: Iterable[str]) -> None:
    """Fails with each text that has a banned word, once."""
    found = {text: words for text in texts if (words := jargon_in(text))}
    shown = "\n".join(f"  {', '.join(words)}: {text}" for text, words in found.items())
    assert not found, f"{len(found)} texts with words that people on call do not use:\n{shown}"
