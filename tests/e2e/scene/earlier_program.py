"""`canary-analyzer` as an earlier version has it, as a program: `python -m tests.e2e.scene.earlier_program run ...`.

The code of an earlier version is not at hand wherever the tests run. What stands in for it, and why that is enough, is
said in `tests.fakes.earlier_version`.
"""

from __future__ import annotations

import sys

from analyzer.cli import main
from tests.fakes.earlier_version import earlier_version

COMMAND = (sys.executable, "-m", "tests.e2e.scene.earlier_program")

if __name__ == "__main__":
    with earlier_version():
        main()
