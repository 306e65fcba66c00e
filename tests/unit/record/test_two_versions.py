"""Documents and commands between this version and an earlier one, which knows only the legacy labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from analyzer.kube.objects import CONFIG_MAPS, Json, Kind, Listed
from analyzer.model.errors import RecordError
from analyzer.model.phase import Phase
from analyzer.record import codec
from analyzer.record.configmaps import ConfigMapStore
from analyzer.record.configmaps.names import DocumentKind, document_name
from tests.fakes.configmap_stage import ClusterStage
from tests.fakes.earlier_version import earlier_version
from tests.fakes.kube_api import FakeApi
from tests.unit.record.sample_states import a_command, a_state, a_status_document, an_entry

NEW, OLD = "canary-analyzer.io/", "canary-analyzer/"
MANAGED = {"app.kubernetes.io/managed-by": "canary-analyzer"}
STATUS = a_status_document(reason="step 2")


@pytest.fixture
def stage() -> ClusterStage:
    return ClusterStage()


@pytest.fixture
def upgraded(stage: ClusterStage) -> ConfigMapStore:
    """A daemon of this version after one of an earlier version, which has written every document."""
    with earlier_version():
        stage.store.save(a_state(), None)
        stage.store.append_history("my-app", an_entry("r-1"))
        stage.store.publish("my-app", STATUS)
        stage.documents.submit("my-app", "shop", a_command(1))
    return stage.restarted()


def keys(entries: dict[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): value for key, value in entries.items() if key.startswith(prefix)}


def labels(stage: ClusterStage, document: DocumentKind, target: str = "my-app") -> dict[str, str]:
    return dict(stage.see(document, target)["metadata"]["labels"])


def hand_made(api: FakeApi, labels: dict[str, str]) -> None:
    """A ConfigMap of commands in the target's namespace, written by hand."""
    metadata = {"name": "canary-analyzer-my-app", "namespace": "shop", "labels": labels}
    data = {"command-001": codec.encode_command(a_command(1)).decode()}
    api.put(CONFIG_MAPS, {"metadata": metadata, "data": data})


# --- after an upgrade


def test_the_documents_of_an_earlier_version_have_its_labels_alone(
    stage: ClusterStage, upgraded: ConfigMapStore
) -> None:
    for document in (DocumentKind.STATE, DocumentKind.STATUS, DocumentKind.HISTORY):
        assert not keys(labels(stage, document), NEW)
        assert keys(labels(stage, document), OLD)["document"] == document.value
    assert upgraded.targets() == ["my-app"]


def test_the_documents_of_an_earlier_version_are_found(stage: ClusterStage, upgraded: ConfigMapStore) -> None:
    stored = upgraded.load("my-app")
    assert stored is not None
    assert stored.state == a_state()
    assert [command.id for command in upgraded.commands("my-app")] == ["command-001"]
    assert [one.status() for one in stage.documents.statuses()] == [STATUS]
    history = stage.documents.history("my-app")
    assert history is not None
    assert history.history() == (an_entry("r-1"),)


def test_a_document_gets_the_new_keys_with_its_next_write_and_keeps_the_legacy_ones(
    stage: ClusterStage, upgraded: ConfigMapStore
) -> None:
    stored = upgraded.load("my-app")
    assert stored is not None
    upgraded.save(a_state(phase=Phase.PAUSED), stored.version)
    upgraded.append_history("my-app", an_entry("r-2"))
    upgraded.publish("my-app", replace(STATUS, phase=Phase.PAUSED))

    for document in (DocumentKind.STATE, DocumentKind.STATUS, DocumentKind.HISTORY):
        for entries in (labels(stage, document), stage.see(document, "my-app")["metadata"]["annotations"]):
            assert keys(entries, NEW) == keys(entries, OLD) != {}
    assert keys(labels(stage, DocumentKind.STATUS), NEW)["phase"] == "PAUSED"


def test_a_status_that_has_not_changed_is_written_once_for_the_new_keys(
    stage: ClusterStage, upgraded: ConfigMapStore
) -> None:
    stage.forget_calls()
    for _ in range(2):
        upgraded.publish("my-app", STATUS)

    assert [call.verb for call in stage.api.writes] == ["patch"]
    assert keys(labels(stage, DocumentKind.STATUS), NEW) == keys(labels(stage, DocumentKind.STATUS), OLD)


def test_an_ended_release_of_an_earlier_version_is_not_looked_for_in_the_history(
    stage: ClusterStage, upgraded: ConfigMapStore
) -> None:
    with earlier_version():
        daemon = stage.restarted()
        daemon.append_history("my-app", an_entry("r-1"))
        daemon.publish("my-app", replace(STATUS, phase=Phase.ABORTED))
    upgraded.targets()
    stage.forget_calls()

    upgraded.append_history("my-app", an_entry("r-1"))

    assert "get" not in [call.verb for call in stage.api.calls]


# --- two at once, and back


def test_an_earlier_version_that_takes_over_finds_all_documents_and_commands(stage: ClusterStage) -> None:
    stage.store.save(a_state(), None)
    stage.store.save(a_state(target="My.App"), None)
    stage.store.publish("my-app", STATUS)
    stage.documents.submit("my-app", "shop", a_command(1))

    with earlier_version():
        daemon = stage.restarted()
        assert daemon.targets() == ["My.App", "my-app"]
        stored = daemon.load("my-app")
        assert stored is not None
        daemon.save(a_state(phase=Phase.PAUSED), stored.version)
        assert [one.status() for one in stage.documents.statuses()] == [STATUS]
        assert [command.id for command in daemon.commands("my-app")] == ["command-001"]


def test_labels_that_an_earlier_version_left_behind_follow_with_the_next_status(stage: ClusterStage) -> None:
    stage.store.publish("my-app", STATUS)
    aborted = replace(STATUS, phase=Phase.ABORTED)
    with earlier_version():
        stage.restarted().publish("my-app", aborted)
    assert keys(labels(stage, DocumentKind.STATUS), NEW)["phase"] == "PROGRESSING"

    stage.restarted().publish("my-app", aborted)

    assert keys(labels(stage, DocumentKind.STATUS), NEW)["phase"] == "ABORTED"


def test_documents_with_the_new_labels_alone_are_found(stage: ClusterStage) -> None:
    """As the next minor version leaves them, which a roll-back may bring back to this one."""
    stage.store.save(a_state(target="My.App"), None)
    name = document_name(DocumentKind.STATE, "My.App")
    legacy = {"canary-analyzer/document": None, "canary-analyzer/target": None}
    changes = {"metadata": {"labels": legacy, "annotations": {"canary-analyzer/target": None}}}
    stage.api.edit(CONFIG_MAPS, stage.namespace, name, changes)

    assert stage.restarted().targets() == ["My.App"]


class WrittenBetweenLists(FakeApi):
    """A late write of the former holder gives a document its new labels between the two requests for a kind."""

    late: ConfigMapStore | None = None

    def pages(self, kind: Kind, namespace: str | None, *, labels: str = "") -> Iterator[Listed]:
        yield from super().pages(kind, namespace, labels=labels)
        if self.late is not None:
            late, self.late = self.late, None
            stored = late.load("my-app")
            assert stored is not None
            late.save(a_state(phase=Phase.PAUSED), stored.version)
            late.publish("my-app", replace(STATUS, phase=Phase.PAUSED))


def test_a_document_that_is_migrated_between_two_lists_is_found_once_as_it_is_then() -> None:
    api = WrittenBetweenLists()
    stage = ClusterStage(api)
    with earlier_version():
        stage.store.save(a_state(), None)
        stage.store.publish("my-app", STATUS)
    late, daemon = stage.restarted(), stage.restarted()
    late.targets()
    api.late = late

    stored = daemon.load("my-app")

    assert api.late is None
    assert stored is not None
    assert stored.state.phase is Phase.PAUSED
    daemon.save(a_state(phase=Phase.PROMOTING), stored.version)


def test_a_status_that_is_migrated_between_two_lists_is_shown_once() -> None:
    api = WrittenBetweenLists()
    stage = ClusterStage(api)
    with earlier_version():
        stage.store.save(a_state(), None)
        stage.store.publish("my-app", STATUS)
    late = stage.restarted()
    late.targets()
    api.late = late

    assert [one.status().phase for one in stage.documents.statuses()] == ["PAUSED"]


# --- commands


@pytest.mark.parametrize("key", [NEW, OLD])
def test_commands_under_either_label_are_read(stage: ClusterStage, key: str) -> None:
    hand_made(stage.api, {**MANAGED, f"{key}document": "commands"})
    assert [command.id for command in stage.store.commands("my-app")] == ["command-001"]


@pytest.mark.parametrize("found", [MANAGED, {**MANAGED, f"{NEW}document": "notes"}], ids=["none", "another"])
def test_a_map_whose_label_says_no_commands_is_not_read(stage: ClusterStage, found: dict[str, str]) -> None:
    hand_made(stage.api, found)
    assert stage.store.commands("my-app") == []


@pytest.mark.parametrize("key", [NEW, OLD])
def test_a_command_gives_a_map_the_labels_that_daemons_of_both_versions_look_for(stage: ClusterStage, key: str) -> None:
    hand_made(stage.api, {**MANAGED, f"{key}document": "commands", "team": "shop"})

    stage.documents.submit("my-app", "shop", a_command(2))

    present: Json = stage.api.see(CONFIG_MAPS, "shop", "canary-analyzer-my-app")
    assert keys(present["metadata"]["labels"], NEW) == keys(present["metadata"]["labels"], OLD)
    assert present["metadata"]["labels"]["team"] == "shop"
    with earlier_version():
        found = stage.restarted().commands("my-app")
    assert [command.id for command in found] == ["command-001", "command-002"]


def test_the_first_command_can_be_read_by_an_earlier_version(stage: ClusterStage) -> None:
    stage.documents.submit("my-app", "shop", a_command(1))
    with earlier_version():
        assert [command.id for command in stage.restarted().commands("my-app")] == ["command-001"]


def test_a_refusal_names_the_label_that_is_expected(stage: ClusterStage) -> None:
    hand_made(stage.api, {**MANAGED, f"{OLD}document": "notes"})
    with pytest.raises(RecordError, match=r"expected the label canary-analyzer\.io/document=commands, found notes"):
        stage.documents.submit("my-app", "shop", a_command(2))
