"""What the documents promise as ConfigMaps: few requests, nothing lost, nothing foreign overwritten."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import structlog

from analyzer.kube.errors import ForbiddenError, NotFoundError, StaleError, UnavailableError
from analyzer.kube.objects import CONFIG_MAPS, Json, Kind
from analyzer.model.errors import RecordError, StaleStateError
from analyzer.model.phase import Phase
from analyzer.model.plain_json import plain_json
from analyzer.model.status_document import HistoryEntry
from analyzer.record import codec
from analyzer.record.configmaps import ConfigMapStore
from analyzer.record.configmaps.commands import submit
from analyzer.record.configmaps.maps import BYTES_ALLOWED
from analyzer.record.configmaps.memory import PATIENCE
from analyzer.record.configmaps.names import DocumentKind, commands_name, document_name
from tests.fakes.configmap_stage import ClusterStage
from tests.fakes.kube_api import FakeApi
from tests.unit.record.sample_states import a_command, a_release, a_state, a_status_document, an_entry, at

STATUS = a_status_document(step=2, weight=12.5, verdict="INCONCLUSIVE", mode="act")


@pytest.fixture
def stage() -> ClusterStage:
    return ClusterStage()


def loaded(store: ConfigMapStore, target: str = "my-app") -> Any:
    stored = store.load(target)
    assert stored is not None
    return stored


def ended(stage: ClusterStage) -> Sequence[HistoryEntry]:
    found = stage.documents.history("my-app")
    return found.history() if found else ()


# --- requests


def test_an_idle_target_costs_no_request(stage: ClusterStage) -> None:
    stage.store.save(a_state(), None)
    stage.store.publish("my-app", STATUS)
    stage.store.append_history("my-app", an_entry("r-1"))
    stage.store.publish("my-app", replace(STATUS, phase=Phase.ABORTED))
    daemon = stage.restarted()
    daemon.load("my-app")
    daemon.publish("my-app", replace(STATUS, phase=Phase.ABORTED))
    stage.forget_calls()

    for target in ("my-app", "never-seen"):
        daemon.load(target)
        daemon.commands(target)
    daemon.targets()
    daemon.append_history("my-app", an_entry("r-1"))
    daemon.publish("my-app", replace(STATUS, phase=Phase.ABORTED, updated_at=at(60)))

    assert stage.api.calls == []


def test_a_restart_reads_all_documents_of_a_kind_in_two_requests(stage: ClusterStage) -> None:
    """One for those that have the legacy labels alone, one for all others."""
    for number in range(20):
        stage.store.save(a_state(target=f"app-{number}"), None)
        stage.store.publish(f"app-{number}", replace(STATUS, target=f"app-{number}"))
    daemon = stage.restarted()
    stage.forget_calls()

    for number in range(20):
        assert loaded(daemon, f"app-{number}").state.target == f"app-{number}"
        daemon.publish(f"app-{number}", replace(STATUS, target=f"app-{number}"))

    assert [call.verb for call in stage.api.calls] == ["list"] * 4


def test_a_save_is_one_request(stage: ClusterStage) -> None:
    version = stage.store.save(a_state(), None)
    stage.store.load("my-app")
    stage.forget_calls()

    stage.store.save(a_state(epoch=4), version)

    assert [call.verb for call in stage.api.calls] == ["patch"]
    assert loaded(stage.store).state.epoch == 4
    assert len(stage.api.calls) == 1


def test_after_a_new_epoch_everything_is_read_again(stage: ClusterStage) -> None:
    version = stage.store.save(a_state(), None)
    stage.lease.lose()
    other = stage.restarted()
    other.save(a_state(phase=Phase.PAUSED), loaded(other).version)

    stage.lease.win(7)

    assert loaded(stage.store).state.phase is Phase.PAUSED
    with pytest.raises(StaleStateError):
        stage.store.save(a_state(epoch=7), version)


def test_thousands_of_targets_do_not_hammer_a_server_that_is_down(stage: ClusterStage) -> None:
    stage.store.save(a_state(), None)
    daemon = stage.restarted()
    stage.api.fail(times=1000)
    stage.forget_calls()

    for _ in range(100):
        with pytest.raises(RecordError, match="could not be reached"):
            daemon.load("my-app")
    assert len(stage.api.calls) == 1

    stage.api.heal()
    stage.clock.advance(PATIENCE)
    assert loaded(daemon).state == a_state()


# --- compare and swap


def test_after_somebody_else_wrote_it_is_read_again(stage: ClusterStage) -> None:
    version = stage.store.save(a_state(), None)
    other = stage.restarted()
    other.save(a_state(phase=Phase.PAUSED), loaded(other).version)
    with pytest.raises(StaleStateError, match="another process wrote or deleted it"):
        stage.store.save(a_state(phase=Phase.PROMOTING), version)

    stored = loaded(stage.store)

    assert stored.state.phase is Phase.PAUSED
    stage.store.save(a_state(phase=Phase.PROMOTING), stored.version)


def test_a_document_that_was_taken_away_is_not_made_again_unseen(stage: ClusterStage) -> None:
    version = stage.store.save(a_state(), None)
    stage.api.remove(CONFIG_MAPS, stage.namespace, document_name(DocumentKind.STATE, "my-app"))

    with pytest.raises(StaleStateError):
        stage.store.save(a_state(epoch=9), version)

    assert stage.store.load("my-app") is None
    assert stage.store.targets() == []


@pytest.mark.parametrize("existing", [False, True], ids=["created", "changed"])
def test_a_write_whose_answer_was_lost_is_seen_at_the_next_look(stage: ClusterStage, *, existing: bool) -> None:
    version = stage.store.save(a_state(), None) if existing else None
    stage.store.load("my-app")
    stage.api.fail(error=UnavailableError("timed out"), done_first=True)

    with pytest.raises(RecordError, match="timed out") as caught:
        stage.store.save(a_state(phase=Phase.PROMOTING), version)

    assert not isinstance(caught.value, StaleStateError)
    stored = loaded(stage.store)
    assert stored.state.phase is Phase.PROMOTING
    stage.store.save(a_state(phase=Phase.BAKING), stored.version)


def test_a_write_that_did_not_happen_leaves_the_old_document(stage: ClusterStage) -> None:
    version = stage.store.save(a_state(), None)
    stage.api.fail()

    with pytest.raises(RecordError):
        stage.store.save(a_state(phase=Phase.PROMOTING), version)

    assert loaded(stage.store) == loaded(stage.restarted())
    assert loaded(stage.store).state.phase is Phase.PROGRESSING


# --- documents that can't be used


@pytest.mark.parametrize("text", [b"{ torn", b'{"schema": 99}', b""], ids=["corrupt", "newer", "empty"])
def test_a_document_that_can_not_be_read_holds_only_its_target_until_it_is_repaired(
    stage: ClusterStage, text: bytes
) -> None:
    stage.store.save(a_state(target="other"), None)
    stage.put(DocumentKind.STATE, "my-app", text)
    daemon = stage.restarted()

    for _ in range(2):
        with pytest.raises(RecordError, match="ConfigMap canary-analyzer/canary-analyzer-state-my-app"):
            daemon.load("my-app")
    assert loaded(daemon, "other").state.target == "other"
    assert daemon.targets() == ["my-app", "other"]

    stage.put(DocumentKind.STATE, "my-app", codec.encode(a_state()))
    assert loaded(daemon).state == a_state()


def test_the_document_of_another_target_is_refused(stage: ClusterStage) -> None:
    stage.put(DocumentKind.STATE, "my-app", codec.encode(a_state(target="other")))

    with pytest.raises(RecordError, match="expected the state of my-app, found that of other"):
        stage.store.load("my-app")


@pytest.mark.parametrize(
    "newer",
    [
        {"canary-analyzer.io/schema": "2"},
        {"canary-analyzer/schema": "2"},
        {"canary-analyzer.io/schema": "2", "canary-analyzer/schema": "1"},
    ],
    ids=["new", "old", "both"],
)
def test_a_status_of_a_newer_version_is_left_alone(stage: ClusterStage, newer: dict[str, str]) -> None:
    stage.put(DocumentKind.STATUS, "my-app", b'{"phase": "NEW"}', newer)

    with pytest.raises(RecordError, match="newer version"):
        stage.store.publish("my-app", STATUS)

    assert stage.text(DocumentKind.STATUS, "my-app") == b'{"phase": "NEW"}'


def test_a_corrupt_status_is_written_anew(stage: ClusterStage) -> None:
    stage.put(DocumentKind.STATUS, "my-app", b"{ torn")

    stage.store.publish("my-app", STATUS)

    assert stage.json(DocumentKind.STATUS, "my-app") == plain_json(STATUS)


@pytest.mark.parametrize("text", [b"{ torn", b'{"schema": 2, "entries": []}'], ids=["corrupt", "newer"])
def test_a_history_that_can_not_be_read_is_left_alone(stage: ClusterStage, text: bytes) -> None:
    stage.put(DocumentKind.HISTORY, "my-app", text)

    with pytest.raises(RecordError):
        stage.store.append_history("my-app", an_entry("r-1"))

    assert stage.text(DocumentKind.HISTORY, "my-app") == text


def test_a_document_that_would_be_too_large_is_not_sent(stage: ClusterStage) -> None:
    version = stage.store.save(a_state(), None)
    stage.forget_calls()
    large = a_state(release=a_release(alerted=("x" * BYTES_ALLOWED,)))

    with pytest.raises(RecordError, match=r"has 981 KiB, limit 977 KiB: not written; the pod templates"):
        stage.store.save(large, version)

    assert stage.api.writes == []
    assert loaded(stage.store).state == a_state()


def test_does_not_warn_of_a_history_which_keeps_itself_small(stage: ClusterStage) -> None:
    with structlog.testing.capture_logs() as logs:
        stage.store.append_history("my-app", an_entry("r-1", reason="x" * (BYTES_ALLOWED * 4 // 5)))

    assert logs == []


def test_warns_once_before_a_document_is_too_large(stage: ClusterStage) -> None:
    large = a_state(release=a_release(alerted=("x" * (BYTES_ALLOWED * 4 // 5),)))

    with structlog.testing.capture_logs() as logs:
        version = stage.store.save(large, None)
        stage.store.save(large, version)

    assert [(log["event"], log["document"]) for log in logs] == [("document_near_limit", "state")]


def test_says_which_rule_is_missing(stage: ClusterStage) -> None:
    stage.api.fail(error=ForbiddenError("list ConfigMap: 403"))
    with pytest.raises(RecordError, match=r"namespace canary-analyzer: .*verbs: \[get, list\]"):
        stage.store.load("my-app")

    stage.api.fail(error=ForbiddenError("create ConfigMap: 403"))
    with pytest.raises(RecordError, match=r"verbs: \[get, list, create, patch\]"):
        stage.store.save(a_state(), None)


def test_says_that_the_namespace_is_missing(stage: ClusterStage) -> None:
    stage.api.fail(error=NotFoundError('namespaces "canary-analyzer" not found'), verb="create")

    with pytest.raises(RecordError, match="expected namespace 'canary-analyzer' to exist") as caught:
        stage.store.save(a_state(), None)

    assert not isinstance(caught.value, StaleStateError)


# --- status and history


def test_a_status_shows_its_summary_as_labels(stage: ClusterStage) -> None:
    stage.store.publish("my-app", replace(STATUS, outcome="promoted"))
    stage.store.publish("my-app", STATUS)

    metadata = stage.see(DocumentKind.STATUS, "my-app")["metadata"]
    shown = {
        "document": "status",
        "target": "my-app",
        "namespace": "shop",
        "phase": "PROGRESSING",
        "step": "2",
        "weight": "12.5",
        "verdict": "INCONCLUSIVE",
        "mode": "act",
    }
    assert metadata["labels"] == {
        "app.kubernetes.io/managed-by": "canary-analyzer",
        **{f"canary-analyzer.io/{name}": value for name, value in shown.items()},
        **{f"canary-analyzer/{name}": value for name, value in shown.items()},
    }
    assert metadata["annotations"]["canary-analyzer.io/summary"] == "PROGRESSING: more traffic is needed"


def test_a_status_is_written_although_somebody_touched_it(stage: ClusterStage) -> None:
    stage.store.publish("my-app", STATUS)
    name = document_name(DocumentKind.STATUS, "my-app")
    stage.api.edit(CONFIG_MAPS, stage.namespace, name, {"metadata": {"labels": {"team": "shop"}}})

    stage.store.publish("my-app", replace(STATUS, phase=Phase.PAUSED))

    assert stage.json(DocumentKind.STATUS, "my-app")["phase"] == "PAUSED"
    assert stage.see(DocumentKind.STATUS, "my-app")["metadata"]["labels"]["team"] == "shop"


def test_a_daemon_that_lost_its_lease_leaves_the_status_to_the_next_one(stage: ClusterStage) -> None:
    stage.store.publish("my-app", STATUS)
    stage.lease.lose()
    with pytest.raises(RecordError, match="this daemon does not hold the Lease"):
        stage.store.publish("my-app", replace(STATUS, reason="old news"))
    assert stage.json(DocumentKind.STATUS, "my-app")["reason"] == STATUS.reason


def test_two_that_append_to_one_history_lose_nothing(stage: ClusterStage) -> None:
    stage.store.append_history("my-app", an_entry("r-1"))
    stage.restarted().append_history("my-app", an_entry("r-2"))
    stage.store.append_history("my-app", an_entry("r-3"))

    assert [entry.id for entry in ended(stage)] == ["r-1", "r-2", "r-3"]


def test_a_history_whose_write_was_answered_by_nobody_has_the_entry_once(stage: ClusterStage) -> None:
    stage.api.fail(error=UnavailableError("timed out"), verb="create", done_first=True)
    with pytest.raises(RecordError):
        stage.store.append_history("my-app", an_entry("r-1"))

    stage.store.append_history("my-app", an_entry("r-1"))

    assert [entry.id for entry in ended(stage)] == ["r-1"]


# --- commands


def test_who_asked_is_marked_as_unverified(stage: ClusterStage) -> None:
    stage.documents.submit("my-app", "shop", a_command(1))

    assert [command.by for command in stage.store.commands("my-app")] == ["ada (unverified)"]


def test_an_entry_that_is_no_command_is_left_out_and_logged_once(stage: ClusterStage) -> None:
    good = codec.encode_command(a_command(1)).decode()
    stage.put_commands("my-app", {"command-001": good, "b": "{ torn", "c": '{"verb": "explode"}'})

    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            assert [command.id for command in stage.store.commands("my-app")] == ["command-001"]

    assert [log["event"] for log in logs] == ["command_ignored"] * 2
    assert "shop/canary-analyzer-my-app, entry b" in logs[0]["source"]


def test_a_command_that_comes_later_is_seen(stage: ClusterStage) -> None:
    stage.documents.submit("my-app", "shop", a_command(1))
    assert len(stage.store.commands("my-app")) == 1

    stage.documents.submit("my-app", "shop", a_command(2))

    assert len(stage.store.commands("my-app")) == 2


def test_only_as_many_commands_stay_on_file_as_are_remembered(stage: ClusterStage) -> None:
    for number in range(55):
        stage.documents.submit("my-app", "shop", a_command(number))

    found = [command.id for command in stage.store.commands("my-app")]
    assert (len(found), found[0], found[-1]) == (50, "command-005", "command-054")


class LateRival(FakeApi):
    """Another operator asks for something between our look and our write."""

    came = False

    def create(self, kind: Kind, namespace: str | None, body: Json, *, timeout: float | None = None) -> Json:
        if not self.came:
            self.came = True
            submit(self, "shop", "my-app", a_command(1))
        return super().create(kind, namespace, body, timeout=timeout)


def test_of_two_first_commands_none_is_lost() -> None:
    stage = ClusterStage(LateRival())

    stage.documents.submit("my-app", "shop", a_command(2))

    assert [command.id for command in stage.store.commands("my-app")] == ["command-001", "command-002"]


def test_does_not_write_into_a_map_that_is_no_map_of_commands(stage: ClusterStage) -> None:
    stage.api.put(
        CONFIG_MAPS, {"metadata": {"name": "canary-analyzer-my-app", "namespace": "shop"}, "data": {"a": "b"}}
    )

    with pytest.raises(RecordError, match=r"expected the label canary-analyzer\.io/document=commands, found none"):
        stage.documents.submit("my-app", "shop", a_command(1))

    assert stage.api.see(CONFIG_MAPS, "shop", "canary-analyzer-my-app")["data"] == {"a": "b"}


def test_the_commands_of_a_removed_target_are_read_where_its_release_began(stage: ClusterStage) -> None:
    stage.documents.submit("my-app", "shop", a_command(1))
    daemon = stage.restarted(configured=False)
    assert daemon.commands("my-app") == []

    daemon.save(a_state(release=a_release(namespace="shop")), None)

    assert len(daemon.commands("my-app")) == 1


def test_a_watch_that_is_too_old_is_no_answer(stage: ClusterStage) -> None:
    daemon = stage.restarted(OldNews())

    with pytest.raises(RecordError, match="not confirmed for 90 s"):
        daemon.commands("my-app")


class OldNews:
    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        raise StaleError("not confirmed for 90 s")


# --- names


def test_names_follow_the_target() -> None:
    assert document_name(DocumentKind.STATE, "my-app") == "canary-analyzer-state-my-app"
    assert commands_name("my-app") == "canary-analyzer-my-app"


def test_no_two_documents_share_a_name() -> None:
    targets = ["a", "A", "a.b", "a-b", "x" * 64, "x" * 65, "state-a", "t-a", "history-", "ä", "ö", "commands-a", ""]

    found = [document_name(document, one) for one in targets for document in DocumentKind]
    found += [commands_name(one) for one in targets]

    assert len(set(found)) == len(found)
    assert all(len(name) <= 253 for name in found)
    assert all(name.replace("-", "a").isalnum() and name == name.lower() and name[-1] != "-" for name in found)


def test_a_target_whose_name_had_to_be_hashed_is_found_again(stage: ClusterStage) -> None:
    stage.store.save(a_state(target="My.App"), None)

    daemon = stage.restarted()

    assert daemon.targets() == ["My.App"]
    assert loaded(daemon, "My.App").state.target == "My.App"


def test_documents_are_readable_json(stage: ClusterStage) -> None:
    stage.store.save(a_state(), None)

    text = stage.text(DocumentKind.STATE, "my-app").decode()

    assert text.startswith('{\n "target": "my-app",\n')
    assert json.loads(text)["phase"] == "PROGRESSING"
