"""The log: JSON for machines, text for people, one chain for everybody, and no secrets."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from analyzer.telemetry.logging import configure


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("analyzer")
    before = (list(root.handlers), root.level, own.level)
    yield
    root.handlers[:], root.level, own.level = before
    root.setLevel(before[1])
    own.setLevel(before[2])
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def _fail() -> None:
    raise OSError("no route to http://ada:hunter2@host")


def test_writes_json_lines_without_a_terminal() -> None:
    stream = io.StringIO()
    configure(stream)

    structlog.get_logger("analyzer.engine").info("decision", target="my-app", weight=10)

    [line] = lines(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "event": "decision",
        "target": "my-app",
        "weight": 10,
        "level": "info",
        "logger": "analyzer.engine",
    }


def test_writes_text_with_colours_on_a_terminal() -> None:
    stream = Terminal()
    configure(stream, environ={})

    structlog.get_logger("analyzer.engine").info("decision", target="my-app")

    assert "\x1b[" in stream.getvalue()
    assert "decision" in stream.getvalue()


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_writes_no_colours_where_they_are_not_wanted(environ: dict[str, str]) -> None:
    stream = Terminal()
    configure(stream, environ=environ)

    structlog.get_logger("analyzer.engine").warning("decision", target="my-app")

    assert "\x1b[" not in stream.getvalue()
    assert "target=my-app" in stream.getvalue()


def test_writes_json_on_a_terminal_when_asked_to() -> None:
    stream = Terminal()
    configure(stream, json=True)

    structlog.get_logger("analyzer.engine").info("decision")

    assert lines(stream)[0]["event"] == "decision"


def test_takes_in_what_other_libraries_log() -> None:
    stream = io.StringIO()
    configure(stream)

    logging.getLogger("urllib3.connectionpool").warning("Retrying %s", "http://ada:hunter2@host/x")

    [line] = lines(stream)
    assert (line["event"], line["level"]) == ("Retrying http://***@host/x", "warning")
    assert line["logger"] == "urllib3.connectionpool"


def test_takes_in_warnings() -> None:
    stream = io.StringIO()
    configure(stream)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)
        warnings.warn("old setting", FutureWarning, stacklevel=1)

    [line] = lines(stream)
    assert "FutureWarning: old setting" in line["event"]


def test_hears_others_from_warnings_on_because_below_they_log_whole_requests() -> None:
    stream = io.StringIO()
    configure(stream, level=logging.DEBUG)

    logging.getLogger("urllib3.connectionpool").debug('"POST /services/T0K3N HTTP/1.1" 200')
    structlog.get_logger("analyzer.engine").debug("decision")

    assert [line["event"] for line in lines(stream)] == ["decision"]


def test_leaves_out_what_is_below_the_level() -> None:
    stream = io.StringIO()
    configure(stream)

    structlog.get_logger("analyzer.engine").debug("decision")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("json_wanted", [True, False])
def test_masks_secrets_in_values_and_in_tracebacks(*, json_wanted: bool) -> None:
    stream = io.StringIO()
    configure(stream, json=json_wanted)

    try:
        _fail()
    except OSError:
        structlog.get_logger("analyzer.engine").exception("tick_failed", password="hunter2")  # noqa: S106
        logging.getLogger("other").exception("failed with http://ada:hunter2@host")

    text = stream.getvalue()
    assert "hunter2" not in text
    assert text.count("OSError: no route to http://***@host") == 2


def test_configuring_again_replaces_the_former_log_only() -> None:
    former, stream, foreign = io.StringIO(), io.StringIO(), logging.NullHandler()
    logging.getLogger().addHandler(foreign)
    configure(former)
    configure(stream)

    structlog.get_logger("analyzer.engine").info("decision")

    assert former.getvalue() == ""
    assert len(lines(stream)) == 1
    assert foreign in logging.getLogger().handlers
