"""What is special about documents in files: their place, their names, and trouble with the disk."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.state import EXECUTED_KEPT
from analyzer.record.commands import submit
from analyzer.record.files import FileStore
from tests.unit.record.sample_states import a_command, a_state, a_status_document, an_entry, at


def test_puts_each_document_into_a_file_of_its_own(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.save(a_state(), None)
    store.publish("my-app", a_status_document())
    store.append_history("my-app", an_entry("r-1"))
    submit(tmp_path, "my-app", a_command(1))

    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.json")}

    assert found == {
        "state/my-app.json",
        "status/my-app.json",
        "history/my-app.json",
        "commands/my-app/command-001.json",
    }


def test_another_process_reads_what_this_one_wrote(tmp_path: Path) -> None:
    version = FileStore(tmp_path).save(a_state(), None)

    stored = FileStore(tmp_path).load("my-app")

    assert stored is not None
    assert stored.version == version


def test_notices_a_change_by_hand(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    version = store.save(a_state(), None)
    document = tmp_path / "state" / "my-app.json"
    document.write_text(document.read_text().replace('"releases": 1', '"releases": 2'))

    with pytest.raises(StaleStateError, match="another process wrote it"):
        store.save(a_state(), version)


def test_of_many_that_save_at_once_exactly_one_wins(tmp_path: Path) -> None:
    version = FileStore(tmp_path).save(a_state(), None)

    def save(epoch: int) -> bool:
        try:
            FileStore(tmp_path).save(a_state(epoch=epoch), version)
        except StaleStateError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(save, range(100, 116))) == 1


def test_loses_no_command_of_operators_who_ask_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda number: submit(tmp_path, "my-app", a_command(number)), range(20)))

    assert len(FileStore(tmp_path).commands("my-app")) == 20


def test_keeps_no_more_commands_than_a_document_remembers_as_executed(tmp_path: Path) -> None:
    for number in range(EXECUTED_KEPT + 3):
        submit(tmp_path, "my-app", a_command(number, when=at(number)))

    kept = FileStore(tmp_path).commands("my-app")
    assert [command.id for command in kept] == [f"command-{number:03}" for number in range(3, EXECUTED_KEPT + 3)]


def test_carries_on_with_the_other_commands_when_a_file_is_none_and_says_so_once(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    submit(tmp_path, "my-app", a_command(2))
    (tmp_path / "commands" / "my-app" / "command-001.json").write_text("abort it!")

    with capture_logs() as logs:
        found = [store.commands("my-app"), store.commands("my-app")]

    assert found == [[a_command(2)], [a_command(2)]]
    assert [(line["event"], line["log_level"]) for line in logs] == [("command_ignored", "warning")]
    assert "command-001.json" in logs[0]["source"]


def test_takes_no_notice_of_what_a_killed_writer_left(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    store.save(a_state(), None)
    for folder in ("state", "commands/my-app"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / ".my-app.json.new").write_text('{"schema": 1, "tar')

    stored = store.load("my-app")

    assert stored is not None
    assert store.targets() == ("my-app",)
    assert store.commands("my-app") == []
    store.save(a_state(epoch=4), stored.version)
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["my-app.json"]


def test_leaves_a_corrupt_history_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "history").mkdir()
    document = tmp_path / "history" / "my-app.json"
    document.write_text('{"schema": 2, "entries": []}')

    with pytest.raises(RecordError, match=r"history/my-app.json: expected schema 1"):
        FileStore(tmp_path).append_history("my-app", an_entry("r-1"))

    assert json.loads(document.read_text()) == {"schema": 2, "entries": []}


@pytest.mark.parametrize("name", ["../my-app", "a/b", "", ".hidden", "a\0b", "x" * 201, "my app"])
def test_refuses_a_target_whose_name_is_no_plain_file_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(RecordError, match="cannot be the name of a document"):
        FileStore(tmp_path).load(name)
    with pytest.raises(RecordError, match="cannot be the name of a document"):
        FileStore(tmp_path).save(a_state(target=name), None)
    assert list(tmp_path.rglob("*")) == []


def test_says_which_file_can_not_be_written_and_why(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("a file where a folder should be")

    with pytest.raises(RecordError, match=r"status/my-app\.json cannot be written: .*; check disk space"):
        FileStore(tmp_path).publish("my-app", a_status_document())


def test_says_which_file_can_not_be_read_and_why(tmp_path: Path) -> None:
    (tmp_path / "state" / "my-app.json").mkdir(parents=True)

    with pytest.raises(RecordError, match=r"state/my-app\.json cannot be read: Is a directory"):
        FileStore(tmp_path).load("my-app")


def test_reading_makes_no_folders(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "documents")

    assert (store.load("my-app"), store.targets(), store.history("my-app"), store.commands("my-app")) == (
        None,
        (),
        None,
        [],
    )
    assert not (tmp_path / "documents").exists()
