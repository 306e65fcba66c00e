"""Draws docs/demo.svg: the live view of a real demo, when its good release is proven and when its bad one is aborted.

`python -m benchmarks.picture docs/demo.svg`
"""

from __future__ import annotations

import io
import re
import sys
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console, Group, RenderableType

from analyzer.cli.demo import command
from analyzer.cli.demo.live import render
from analyzer.model.decision import Action
from analyzer.model.phase import Phase
from analyzer.model.report import Report
from analyzer.sandbox.shop import ReleaseKind, ShopSettings

WIDTH = 80


class _Frames:
    """A Reporter that keeps the frame of each decision that matters."""

    def __init__(self) -> None:
        self.good: RenderableType = ""
        self.bad: RenderableType = ""
        self._judged: Report | None = None

    def report(self, report: Report) -> None:
        """Keep the frame if this is the moment."""
        if report.verdict is not None and report.verdict.metrics:
            self._judged = report
        release = report.decision.state.release
        if release is None or report.verdict is None:
            return
        if report.decision.action is Action.ROLLBACK:
            self.bad = render(report, "the bad release", self._judged)
        if any(change.after is Phase.PROMOTING for change in report.decision.transitions):
            self.good = render(report, "the good release", self._judged)


def main() -> None:
    """Play both releases and write the picture."""
    frames = _Frames()
    with ExitStack() as stack:
        stage = command.set_stage(stack, ShopSettings(seed=1), Console(file=io.StringIO()), watcher=frames)
        for kind in (ReleaseKind.GOOD, ReleaseKind.BAD):
            command.play(stage, kind)
    screen = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    screen.print(Group(frames.good, frames.bad))
    picture = re.sub(r"@font-face \{.*?\}", "", screen.export_svg(title="make demo"), flags=re.DOTALL)  # no downloads
    Path(sys.argv[1]).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
