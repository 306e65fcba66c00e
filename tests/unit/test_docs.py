"""The pages: short lines, links that lead somewhere, an index of all, and no command that does not exist."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
import typer

from analyzer.cli.app import PROGRAM, build_app
from analyzer.model.decision import Action
from analyzer.model.phase import Phase
from analyzer.model.verdict import Classification, Outcome

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
FOLDERS = ("docs", "tests", "helm", "config", "benchmarks", "analyzer")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
LONGEST = 150
"""No line is as long; code blocks, rows of tables and the changelog may be."""

FENCE = re.compile(r"^\s*(```|~~~).*?^\s*\1\s*$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
LINK = re.compile(r"\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*")
HEADING = re.compile(r"^#{1,6} +(.+?) *#*$", re.MULTILINE)


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def every(pages: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("page", pages, ids=name_of)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """The page with its code blocks emptied, line by line."""
    return FENCE.sub(lambda block: "\n" * block[0].count("\n"), text_of(page))


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes it."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(prose_of(page)):
        shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links(page: Path) -> Iterator[str]:
    """Where the page leads inside of this repository."""
    for target in LINK.findall(SPAN.sub("", prose_of(page))):
        if not re.match(r"[a-z][a-z+.-]*:", target):
            yield unquote(target)


def broken(page: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        return f"{link}: no such file"
    if anchor and target.suffix == ".md" and anchor not in anchors(target):
        return f"{link}: no such heading, expected one of {sorted(anchors(target))}"
    return None


@every([page for page in PAGES if page.name != "CHANGELOG.md"])
def test_lines_are_short(page: Path) -> None:
    lines = enumerate(prose_of(page).splitlines(), start=1)
    long = [number for number, line in lines if len(line) >= LONGEST and not line.lstrip().startswith("|")]
    assert long == [], f"{name_of(page)}: lines of {LONGEST} characters and more"


@every(PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    assert [found for link in links(page) if (found := broken(page, link))] == []


def test_links_are_found() -> None:
    assert "docs/judging.md" in links(ROOT / "README.md")
    assert "evidence-and-thresholds" in anchors(DOCS / "glossary.md")


@every([page for page in PAGES if page.name != "CHANGELOG.md"])
def test_every_path_that_is_named_exists(page: Path) -> None:
    named = [path for path in SPAN.findall(prose_of(page)) if PATH.fullmatch(path)]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_file_that_the_page_about_tests_names_exists() -> None:
    named = [name for name in SPAN.findall(prose_of(ROOT / "tests/README.md")) if name.endswith((".py", "/"))]
    assert len(named) > 20
    assert [name for name in named if not list((ROOT / "tests").rglob(name.removeprefix("tests/")))] == []


def test_the_index_has_every_page_once() -> None:
    listed = Counter(link for link in links(DOCS / "README.md") if "/" not in link)
    assert listed == Counter({page.name: 1 for page in DOCS.glob("*.md") if page.name != "README.md"})


def calls(page: Path) -> Iterator[str]:
    """Every call of the program: in a code span, or at the beginning of a line of a code block."""
    blocks = "\n".join(block[0] for block in FENCE.finditer(text_of(page)))
    shown = [line.partition(" #")[0] for line in re.sub(r"\\\n", " ", blocks).splitlines()]
    for call in (*SPAN.findall(prose_of(page)), *shown):
        words = " ".join(call.removeprefix("$ ").split())
        if words.startswith(f"{PROGRAM} "):
            yield words.removeprefix(f"{PROGRAM} ")


def test_every_command_and_option_that_a_page_names_exists() -> None:
    app = typer.main.get_command(build_app())
    commands: dict[str, set[str]] = {
        name: {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for name, command in app.commands.items()  # type: ignore[attr-defined]
    }
    told = [(name_of(page), call) for page in PAGES for call in calls(page)]
    assert len(told) > 10
    for page, call in told:
        command, *words = call.split()
        known = commands.get(command, {"--version", "--help"} if command.startswith("-") else None)
        assert known is not None, f"{page}: `{PROGRAM} {call}`: expected one of {', '.join(commands)}"
        options = {word.partition("=")[0] for word in (command, *words) if re.match(r"--?[a-z]", word)}
        assert options <= known | {"--help"}, f"{page}: `{PROGRAM} {call}`: {command} has {sorted(known)}"


@pytest.mark.parametrize("words", [Phase, Classification, Outcome, Action], ids=lambda one: str(one.__name__))
def test_the_glossary_has_every_word_of(words: type[Phase | Classification | Outcome | Action]) -> None:
    told = set(SPAN.findall(text_of(DOCS / "glossary.md")))
    assert {word.value for word in words} <= told
