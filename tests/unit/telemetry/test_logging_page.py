"""docs/logging.md lists every event that the program logs, with its level and its fields, and nothing else."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "logging.md").read_text(encoding="utf-8")

LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING", "error": "ERROR", "exception": "ERROR"}
BY_CIRCUMSTANCE = {"decision", "alert"}
"""Their level is computed, and the page says how; what they are about tells what to do."""

NOT_LISTED = {"hint", "exc_info"}
"""The page says once for all events when they have these."""

Functions = Mapping[str, ast.FunctionDef]


@dataclass(frozen=True)
class LogEvent:
    """One call that logs, or one row of the page."""

    name: str
    level: str
    fields: frozenset[str]


def calls() -> Iterator[tuple[LogEvent, bool]]:
    """Every event in the code, and whether it has a hint."""
    for file in sorted((ROOT / "analyzer").rglob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and (method := logging_method(node)) is not None:
                yield of_call(node, method, functions)


def logging_method(call: ast.Call) -> str | None:
    """How a line is logged: `warning` for `_log.warning(...)`."""
    match call.func:
        case ast.Attribute(value=ast.Name(id="_log"), attr=method) if method in LEVELS or method == "log":
            return method
        case _:
            return None


def of_call(call: ast.Call, method: str, functions: Functions) -> tuple[LogEvent, bool]:
    name = call.args[-1]
    assert isinstance(name, ast.Constant), f"expected a constant name, found {ast.unparse(name)}"
    fields: set[str] = set()
    for keyword in call.keywords:
        fields |= {keyword.arg} if keyword.arg is not None else keys_of(keyword.value, functions)
    level = LEVELS.get(method, "")
    return LogEvent(str(name.value), level, frozenset(fields - NOT_LISTED)), "hint" in fields


def keys_of(value: ast.expr, functions: Functions) -> set[str]:
    """The keys of a mapping that a function of the same module makes: `**_about(entry)`."""
    assert isinstance(value, ast.Call)
    assert isinstance(value.func, ast.Name)
    return made_by(functions[value.func.id])


def made_by(function: ast.FunctionDef) -> set[str]:
    """Keys of the dicts in a function's body, and those that it sets one by one: `fields["step"] = ...`."""
    found: set[str] = set()
    for node in ast.walk(function):
        match node:
            case ast.Dict(keys=keys):
                found |= {str(key.value) for key in keys if isinstance(key, ast.Constant)}
            case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=str() as key))]):
                found.add(key)
            case _:
                pass
    return found


def rows() -> Iterator[LogEvent]:
    """The page's tables of events."""
    for name, levels, fields in re.findall(r"^\| `(\w+)` \| ([A-Z, ]+) \| [^|]+ \|([^|]*)\|$", PAGE, re.MULTILINE):
        level = "" if name in BY_CIRCUMSTANCE else levels
        yield LogEvent(name, level, frozenset(re.findall(r"`(\w+)`", fields)))


def fields_in_table(heading: str) -> set[str]:
    """What the first column of a table has, between its heading and the next empty line."""
    table = PAGE[PAGE.index(f"| {heading} |") :].partition("\n\n")[0]
    return {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}


def test_the_page_lists_every_event_with_its_level_and_fields_and_no_other() -> None:
    listed = list(rows())
    assert len({event.name for event in listed}) == len(listed)
    logged = {event for event, _ in calls() if event.name != "decision"}
    assert {event for event in listed if event.name != "decision"} == logged
    assert len(logged) > 40


def test_an_event_has_one_level_and_one_set_of_fields_wherever_it_is_logged() -> None:
    names = [event.name for event in {event for event, _ in calls()}]
    assert sorted(names) == sorted(set(names))


def test_warnings_and_errors_say_what_to_do() -> None:
    mute = [event.name for event, hint in calls() if event.level in ("WARNING", "ERROR") and not hint]
    assert mute == []


def test_the_fields_of_a_decision_are_those_of_the_page() -> None:
    tree = ast.parse((ROOT / "analyzer" / "telemetry" / "report.py").read_text(encoding="utf-8"))
    functions = {node.name: node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    assert fields_in_table("field") == made_by(functions["decision_fields"])
    assert fields_in_table("field of a metric") == made_by(functions["_metric"])
