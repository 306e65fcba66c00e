"""What a status document says, in words: the answer of `why`, and the short forms that tables and progress lines show.

Rule: pure text from one document, which an older or newer version may have written: keys that came later are read with
`get`. Each thing is said once.
"""

from analyzer.record.explanation.answer import explain
from analyzer.record.explanation.outcome import headline, phase_words
from analyzer.record.explanation.outlook import last_answer, present_reason, short_reason
from analyzer.record.explanation.text import first_sentence, step_words, wrap

__all__ = [
    "explain",
    "first_sentence",
    "headline",
    "last_answer",
    "phase_words",
    "present_reason",
    "short_reason",
    "step_words",
    "wrap",
]
