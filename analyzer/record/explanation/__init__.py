"""What a status document says, in words: the answer of `why`, and the short forms that tables and progress lines show.

Rule: pure text from one document, which an older or newer version may have written. Each thing is said once.
"""

from analyzer.record.explanation.answer import explain
from analyzer.record.explanation.outcome import cause_words
from analyzer.record.explanation.outlook import last_answer, short_reason, without_place
from analyzer.record.explanation.text import first_sentence, listed, step_words, without_metrics, wrap

__all__ = [
    "cause_words",
    "explain",
    "first_sentence",
    "last_answer",
    "listed",
    "short_reason",
    "step_words",
    "without_metrics",
    "without_place",
    "wrap",
]
