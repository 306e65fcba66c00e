"""No secret gets into the log, wherever it stands."""

from __future__ import annotations

from typing import Any

import pytest

from analyzer.telemetry.redaction import redact, redact_text


def logged(**fields: Any) -> dict[str, Any]:
    return dict(redact(None, "info", fields))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://ada:hunter2@host:9090/x failed", "GET https://***@host:9090/x failed"),
        ("http://t0k3n@host", "http://***@host"),
        ("https://ada:p@ss@host/x", "https://***@host/x"),
        ("two: http://a:b@x http://c:d@y", "two: http://***@x http://***@y"),
        ("Authorization: Bearer eyJhbGciOi.J9-x_y", "Authorization: Bearer ***"),
        ("header Basic YWRhOmh1bnRlcjI=", "header Basic ***"),
        ("/hook?token=s3cret&room=1", "/hook?token=***&room=1"),
        ("access_token=s3cret, api_key=k3y", "access_token=***, api_key=***"),
    ],
)
def test_masks_secrets_inside_of_texts(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text", ["http://prometheus:9090/api/v1/query?query=up", "mail ada@example.com", "basic idea", "5 of 10 pods"]
)
def test_leaves_texts_without_secrets_as_they_are(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize("key", ["password", "api_key", "apiKey", "bearer_token", "Authorization", "client_secret"])
def test_masks_whatever_stands_under_a_telling_key(key: str) -> None:
    assert logged(**{key: "hunter2"}) == {key: "***"}
    assert logged(settings={"deep": [{key: 12345}]}) == {"settings": {"deep": [{key: "***"}]}}


def test_masks_in_lists_and_in_objects_that_become_text() -> None:
    error = OSError("no route to http://ada:hunter2@host")

    assert logged(urls=("http://a:b@host", 1), error=error) == {
        "urls": ["http://***@host", 1],
        "error": "no route to http://***@host",
    }


def test_leaves_numbers_and_absence_as_they_are() -> None:
    fields = {"weight": 10, "share": 0.1, "proven": True, "move": None, "token": None}

    assert logged(**fields) == fields
