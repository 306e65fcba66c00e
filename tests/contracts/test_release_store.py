"""What every ReleaseStore promises: the same tests on the fake, on files and on ConfigMaps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import pytest

from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.state import Command, Verb
from analyzer.ports import ReleaseStore
from analyzer.record.commands import submit
from analyzer.record.configmaps.names import DocumentKind
from analyzer.record.files import FileStore
from analyzer.record.history import BYTES_KEPT, ENTRIES_KEPT, history_text
from tests.fakes.configmap_stage import ClusterStage
from tests.fakes.store import MemoryStore
from tests.unit.record.sample_states import a_command, a_state, a_status_document, an_entry, at

TARGET = "my-app"


class Subject(Protocol):
    """A store, and what a test needs beside the port to look at it from outside."""

    @property
    def store(self) -> ReleaseStore: ...
    def put(self, document: bytes) -> None: ...
    def document(self) -> bytes: ...
    def submit(self, command: Command) -> None: ...
    def status(self) -> Mapping[str, Any] | None: ...
    def history(self) -> Sequence[Mapping[str, Any]]: ...


class InMemory:
    def __init__(self, _folder: Path) -> None:
        self.store = MemoryStore()

    def put(self, document: bytes) -> None:
        self.store.put(TARGET, document)

    def document(self) -> bytes:
        return self.store.document(TARGET)

    def submit(self, command: Command) -> None:
        self.store.submit(TARGET, command)

    def status(self) -> Mapping[str, Any] | None:
        return self.store.status(TARGET)

    def history(self) -> Sequence[Mapping[str, Any]]:
        return self.store.history(TARGET)


class InFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.store = FileStore(folder)

    def put(self, document: bytes) -> None:
        path = self._folder / "state" / f"{TARGET}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(document)

    def document(self) -> bytes:
        return (self._folder / "state" / f"{TARGET}.json").read_bytes()

    def submit(self, command: Command) -> None:
        submit(self._folder, TARGET, command)

    def status(self) -> Mapping[str, Any] | None:
        found = self.store.status(TARGET)
        return found.json() if found else None

    def history(self) -> Sequence[Mapping[str, Any]]:
        found = self.store.history(TARGET)
        return found.entries() if found else ()


class InConfigMaps:
    def __init__(self, _folder: Path) -> None:
        self._stage = ClusterStage()
        self.store = self._stage.store

    def put(self, document: bytes) -> None:
        self._stage.put(DocumentKind.STATE, TARGET, document)

    def document(self) -> bytes:
        return self._stage.text(DocumentKind.STATE, TARGET)

    def submit(self, command: Command) -> None:
        self._stage.documents.submit(TARGET, self._stage.target_namespace, command)

    def status(self) -> Mapping[str, Any] | None:
        found = self._stage.documents.status(TARGET)
        return found.json() if found else None

    def history(self) -> Sequence[Mapping[str, Any]]:
        found = self._stage.documents.history(TARGET)
        return found.entries() if found else ()


@pytest.fixture(params=[InMemory, InFiles, InConfigMaps])
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Subject:
    kind: Callable[[Path], Subject] = request.param
    return kind(tmp_path / "documents")


def test_has_nothing_before_the_first_save(subject: Subject) -> None:
    assert list(subject.store.targets()) == []
    assert subject.store.load(TARGET) is None
    assert subject.store.commands(TARGET) == []


def test_gives_back_what_was_saved_with_the_version_to_save_it_again(subject: Subject) -> None:
    version = subject.store.save(a_state(), None)

    stored = subject.store.load(TARGET)

    assert stored is not None
    assert (stored.state, stored.version) == (a_state(), version)


def test_saves_again_and_again_with_the_version_of_the_save_before(subject: Subject) -> None:
    version = None
    for epoch in range(3):
        version = subject.store.save(a_state(epoch=epoch), version)

    stored = subject.store.load(TARGET)
    assert stored is not None
    assert stored.state.epoch == 2


def test_refuses_to_create_a_document_that_exists(subject: Subject) -> None:
    subject.store.save(a_state(epoch=1), None)

    with pytest.raises(StaleStateError, match="expected version"):
        subject.store.save(a_state(epoch=2), None)


def test_refuses_to_save_a_document_that_does_not_exist_any_more(subject: Subject) -> None:
    with pytest.raises(StaleStateError):
        subject.store.save(a_state(), "gone")


def test_of_two_that_read_the_same_version_only_the_first_can_save(subject: Subject) -> None:
    version = subject.store.save(a_state(), None)
    subject.store.save(a_state(phase=Phase.PAUSED), version)

    with pytest.raises(StaleStateError):
        subject.store.save(a_state(phase=Phase.PROMOTING), version)

    stored = subject.store.load(TARGET)
    assert stored is not None
    assert stored.state.phase is Phase.PAUSED


def test_keeps_targets_apart(subject: Subject) -> None:
    subject.store.save(a_state(), None)
    subject.store.save(a_state(target="other", epoch=9), None)

    stored = subject.store.load(TARGET)
    assert stored is not None
    assert stored.state == a_state()


def test_names_every_target_that_has_a_state_document(subject: Subject) -> None:
    subject.store.save(a_state(target="other"), None)
    subject.put(b"{ torn")
    subject.store.publish("only-seen", a_status_document(target="only-seen"))

    assert list(subject.store.targets()) == [TARGET, "other"]


@pytest.mark.parametrize("document", [b"{ torn", b'{"schema": 99}'], ids=["corrupt", "newer"])
def test_never_overwrites_a_document_that_it_can_not_read(subject: Subject, document: bytes) -> None:
    subject.put(document)

    with pytest.raises(RecordError):
        subject.store.load(TARGET)
    with pytest.raises(StaleStateError):
        subject.store.save(a_state(), None)

    assert subject.document() == document


def test_publishes_the_last_status(subject: Subject) -> None:
    subject.store.publish(TARGET, a_status_document(phase=Phase.IDLE))
    subject.store.publish(TARGET, a_status_document(weight=12.5))

    assert subject.status() == plain_json(a_status_document(weight=12.5))


def test_adds_to_the_history_in_order(subject: Subject) -> None:
    for number in range(3):
        subject.store.append_history(TARGET, an_entry(f"r-{number}", result="aborted"))

    assert [entry["id"] for entry in subject.history()] == ["r-0", "r-1", "r-2"]


def test_does_not_add_a_release_to_the_history_twice(subject: Subject) -> None:
    subject.store.append_history(TARGET, an_entry("r-1", result="aborted"))
    subject.store.append_history(TARGET, an_entry("r-2", result="promoted"))
    subject.store.append_history(TARGET, an_entry("r-1", result="promoted"))

    assert [(entry["id"], entry["result"]) for entry in subject.history()] == [("r-1", "aborted"), ("r-2", "promoted")]


def test_forgets_the_oldest_releases(subject: Subject) -> None:
    for number in range(ENTRIES_KEPT + 2):
        subject.store.append_history(TARGET, an_entry(f"r-{number}"))

    assert [entry["id"] for entry in subject.history()] == [f"r-{number}" for number in range(2, ENTRIES_KEPT + 2)]


def test_keeps_the_history_small_even_when_its_entries_are_large(subject: Subject) -> None:
    for number in range(10):
        subject.store.append_history(TARGET, an_entry(f"r-{number}", reason="x" * 200_000))

    kept = tuple(dict(entry) for entry in subject.history())
    assert [entry["id"] for entry in kept] == ["r-6", "r-7", "r-8", "r-9"]
    assert len(history_text(TARGET, kept)) <= BYTES_KEPT


def test_gives_commands_oldest_first_whoever_wrote_first(subject: Subject) -> None:
    subject.submit(a_command(1, when=at(20)))
    subject.submit(a_command(3, when=at(10)))
    subject.submit(a_command(2, when=at(10)))

    assert [command.id for command in subject.store.commands(TARGET)] == ["command-002", "command-003", "command-001"]


def test_gives_a_command_as_it_was_asked_for(subject: Subject) -> None:
    subject.submit(a_command(1, Verb.RESUME))

    [command] = subject.store.commands(TARGET)
    assert replace(command, by="ada") == a_command(1, Verb.RESUME)
    assert command.by in {"ada", "ada (unverified)"}


def test_keeps_commands_on_file_after_they_were_read(subject: Subject) -> None:
    subject.submit(a_command(1))

    first = subject.store.commands(TARGET)
    assert len(first) == 1
    assert subject.store.commands(TARGET) == first
