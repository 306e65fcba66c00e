"""The end-to-end tests can let the daemon die at one exact write."""

from __future__ import annotations

import signal

import pytest

from analyzer.cli.kill_switch import VARIABLE, kill_switch
from analyzer.model.errors import ConfigError

WRITES = ("patch Lease a/b", "patch Deployment shop/v2", "patch ConfigMap a/c", "patch Deployment shop/v1")


def died_at(text: str, by: signal.Signals = signal.SIGKILL) -> list[tuple[str, str]]:
    """The moments at which a daemon with this variable would have got that signal."""
    died: list[tuple[str, str]] = []
    last: list[tuple[str, str]] = [("", "")]
    switch = kill_switch({VARIABLE: text}, lambda number: died.extend([last[0]] if number is by else []))
    assert switch is not None
    for write in WRITES:
        for moment in ("before", "after"):
            last[0] = (moment, write)
            switch(moment, write)
    return died


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("before:1", ("before", WRITES[0])),
        ("after:3", ("after", WRITES[2])),
        ("after:patch Deployment:2", ("after", WRITES[3])),
        ("before:patch Deployment shop/v2:1", ("before", WRITES[1])),
    ],
)
def test_dies_once_at_the_moment_that_was_named(text: str, moment: tuple[str, str]) -> None:
    assert died_at(text) == [moment]


def test_stands_still_instead_where_that_was_asked_for() -> None:
    asked = "freeze-before:patch Deployment:2"
    assert died_at(asked, signal.SIGSTOP) == [("before", WRITES[3])]
    assert died_at(asked, signal.SIGKILL) == []


def test_lives_where_there_are_fewer_writes() -> None:
    assert died_at("before:5") == []


@pytest.mark.parametrize("environ", [{}, {VARIABLE: ""}])
def test_there_is_no_switch_without_the_variable(environ: dict[str, str]) -> None:
    assert kill_switch(environ) is None


@pytest.mark.parametrize("text", ["3", "before", "before:0", "during:1", "after:patch:x", "before::1"])
def test_another_form_is_a_mistake(text: str) -> None:
    with pytest.raises(ConfigError, match="expected before:N"):
        kill_switch({VARIABLE: text})
