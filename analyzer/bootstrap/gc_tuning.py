"""Python's collector of cyclic garbage, set for a process that has much in memory for long and makes few cycles.

`run` calls it once the cluster is known. By default the collector looks through everything again and again while an
answer of Prometheus becomes half a million objects: that was a third of all CPU time with 5,000 targets.
"""

from __future__ import annotations

import gc

ALLOCATED = 200_000
"""So many objects more than were freed are looked through for cycles at once; by default it is 700."""


def tune_gc() -> None:
    """What is known by now stays, and is not looked through any more; what comes is, at longer intervals."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATED, 10, 10)
