"""A process that saves in a loop and is killed at any moment leaves a document that can be loaded."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from analyzer.record.files import FileStore

pytestmark = pytest.mark.integration

KILLS = 6

SAVER = """
import sys
from dataclasses import replace
from pathlib import Path
from analyzer.record.files import FileStore
from tests.unit.record.sample_states import a_state, an_entry

store = FileStore(Path(sys.argv[1]))
stored = store.load("my-app")
state, version = (stored.state, stored.version) if stored else (a_state(), None)
while True:
    state = replace(state, epoch=state.epoch + 1, reason="x" * (state.epoch * 997 % 65_536))
    version = store.save(state, version)
    store.append_history("my-app", an_entry(f"r-{state.epoch}"))
    print("saved", flush=True)
"""


def test_a_kill_at_any_moment_leaves_a_document_that_can_be_loaded(tmp_path: Path) -> None:
    moments = random.Random(7)
    epoch = 3
    for _ in range(KILLS):
        with subprocess.Popen([sys.executable, "-c", SAVER, str(tmp_path)], stdout=subprocess.PIPE) as saver:
            assert saver.stdout is not None
            assert saver.stdout.readline() == b"saved\n"
            time.sleep(moments.uniform(0.03, 0.12))
            saver.kill()

        stored = FileStore(tmp_path).load("my-app")

        assert stored is not None
        assert stored.state.epoch > epoch, "nothing that was saved is lost"
        epoch = stored.state.epoch
        history = FileStore(tmp_path).history("my-app")
        assert history is not None
        assert history.history()[-1].id in {f"r-{epoch}", f"r-{epoch - 1}"}
