"""A state document survives being written and read, and what can't be read is refused with what to do."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings

from analyzer.model.errors import RecordError
from analyzer.model.state import SCHEMA, Command, TargetState
from analyzer.model.status_document import HistoryEntry, StatusDocument
from analyzer.model.workload import Scale
from analyzer.record.codec import (
    decode,
    decode_command,
    decode_entry,
    decode_status,
    encode,
    encode_command,
    encode_status,
    read_mapping,
)
from analyzer.record.history import grown, history_text, read_history
from tests.unit.record.any_value import any_value
from tests.unit.record.sample_states import TEMPLATE, a_command, a_state


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_value(TargetState))
def test_reads_what_it_wrote(state: TargetState) -> None:
    state = a_state(**{name: getattr(state, name) for name in state.__slots__ if name != "schema"})

    found = decode(encode(state), "here")

    assert found == state
    if state.release and found.release:  # a Template's content takes no part in ==
        assert found.release.canary.content == state.release.canary.content


@settings(max_examples=30, deadline=None)
@given(any_value(Command))
def test_reads_the_commands_it_wrote(command: Command) -> None:
    assert decode_command(encode_command(command), "here") == command


def test_keeps_the_templates_that_a_rollback_needs() -> None:
    release = decode(encode(a_state()), "here").release

    assert release is not None
    assert release.stable.content == TEMPLATE


def test_keeps_apart_the_kinds_of_a_metric_and_of_a_move() -> None:
    found = decode(encode(a_state()), "here")

    assert isinstance(found.intent, Scale)
    assert found.release is not None
    assert [metric.kind for metric in found.release.analysis.metrics] == ["ratio", "query"]


def test_is_readable_by_people() -> None:
    text = encode(a_state()).decode()

    assert '\n "phase": "PROGRESSING",\n "since": "2026-03-01T12:00:00Z",\n' in text
    assert '"deadline": "PT2H"' in text


def test_reads_a_document_without_entries_that_have_a_default() -> None:
    document = json.loads(encode(a_state()))
    del document["warnings"]

    assert decode(json.dumps(document).encode(), "here") == a_state()


def test_refuses_a_newer_schema_before_anything_else() -> None:
    document = json.dumps({"schema": SCHEMA + 1, "phase": "FLYING"}).encode()

    with pytest.raises(RecordError, match=rf"state/my-app.json: written by a newer version \(schema {SCHEMA + 1}"):
        decode(document, "state/my-app.json")


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        (b"", "an empty document"),
        (b'{"target": "my-a', "expected JSON"),
        (b"\xff\xfe", "expected JSON"),
        (b"[1, 2]", "expected a JSON object, found a list"),
        (b'{"schema": 1, "target": "my-app"}', "roles: Field required"),
        (b"{}", "5 problems"),
    ],
)
def test_says_what_is_wrong_where_and_what_to_do(document: bytes, complaint: str) -> None:
    with pytest.raises(RecordError) as raised:
        decode(document, "state/my-app.json")

    assert complaint in str(raised.value)
    assert "state/my-app.json" in str(raised.value)
    assert "delete it to start from scratch" in str(raised.value)


def test_refuses_an_unknown_entry_because_saving_would_lose_it() -> None:
    document = json.loads(encode(a_state()))
    document["release"]["steps"][0]["proven_at"] = "2026-03-01T12:00:00Z"

    with pytest.raises(RecordError, match=r"release\.steps\.0\.proven_at: unknown key"):
        decode(json.dumps(document).encode(), "here")


def test_refuses_an_unknown_phase() -> None:
    document = encode(a_state()).replace(b"PROGRESSING", b"FLYING")

    with pytest.raises(RecordError, match="phase: Input should be 'IDLE'"):
        decode(document, "here")


def test_refuses_a_command_of_an_unknown_verb() -> None:
    document = encode_command(a_command(1)).replace(b'"abort"', b'"explode"')

    with pytest.raises(RecordError, match="verb: Input should be"):
        decode_command(document, "commands/my-app/1.json")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_value(StatusDocument))
def test_reads_the_status_it_wrote(status: StatusDocument) -> None:
    assert decode_status(read_mapping(encode_status(status), "here"), "here") == status


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(any_value(HistoryEntry))
def test_reads_the_history_it_wrote(entry: HistoryEntry) -> None:
    (found,) = read_history(history_text("my-app", grown((), "my-app", entry) or ()), "here")

    assert decode_entry(found, "here") == entry
