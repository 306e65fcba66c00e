"""Collects documents and mistakes while files are read. Used by `load` alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from analyzer.config.check_plan import Mistake
from analyzer.config.document import YamlDocument, read_document
from analyzer.config.explain import explain
from analyzer.config.keys import Keys
from analyzer.config.keys_file import API_VERSION, LEGACY_API_VERSION, FileKeys
from analyzer.config.place import FilePosition, KeyPath, Locate
from analyzer.model.errors import Problem

_K = TypeVar("_K", bound=Keys)


@dataclass(slots=True)
class ConfigReader:
    """All documents, and all mistakes and warnings so far.

    Not `complete`: what seems to be missing may be in another file.
    """

    documents: list[YamlDocument] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    complete: bool = True

    def missing(self, key: str, advice: str) -> None:
        """Note that no file has this key."""
        if self.complete and self.documents:
            self.problems.append(self.documents[0].place((key,)).problem(f"is missing; {advice}"))

    def validate(self, model: type[_K], value: Any, locate: Locate, prefix: KeyPath = ()) -> _K | None:
        """The keys, or None after their mistakes were noted."""
        try:
            return model.model_validate(value)
        except ValidationError as error:
            self.problems += explain(error, locate, prefix)
            return None

    def note(self, mistakes: Iterable[Mistake], locate: Locate, prefix: KeyPath = ()) -> None:
        """Mistakes of a section that stands at `prefix`."""
        self.problems += [locate((*prefix, *path)).problem(message) for path, message in mistakes]

    def holder(self, key: str) -> YamlDocument | None:
        """The one document that has this key; a second one is a mistake."""
        holders = [document for document in self.documents if key in document.value]
        for other in holders[1:]:
            here, first = other.place((key,)), holders[0].place((key,))
            self.problems.append(here.problem(f"already given {first.seen_from(here)}; keep it in one file"))
        return holders[0] if holders else None

    def in_order(self) -> tuple[Problem, ...]:
        """Each mistake once, by file and line."""
        files = {document.file: number for number, document in enumerate(self.documents)}
        once = {(problem.file, problem.line, problem.path): problem for problem in reversed(self.problems)}
        return tuple(sorted(once.values(), key=lambda one: (files.get(one.file, -1), one.line or 0, one.path)))


def read_all(paths: Sequence[Path]) -> ConfigReader:
    """Every file, with the mistakes that it has by itself."""
    reading = ConfigReader()
    if not paths:
        reading.problems.append(FilePosition("(no file)").problem("expected at least one file or folder"))
    for file in _files(paths, reading):
        document, problems = read_document(file)
        reading.problems += problems
        if document is None:
            reading.complete = False
        else:
            reading.documents.append(document)
            reading.validate(FileKeys, document.value, document.place)
            reading.warnings += _deprecated(document)
    return reading


def _deprecated(document: YamlDocument) -> Iterator[Problem]:
    """What is accepted and has a new name."""
    if document.value.get("apiVersion") == LEGACY_API_VERSION:
        message = f"{LEGACY_API_VERSION} is deprecated; write {API_VERSION} when every daemon has been upgraded"
        yield document.place(("apiVersion",)).problem(message)


def _files(paths: Sequence[Path], reading: ConfigReader) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        for file in _in_folder(path, reading) if path.is_dir() else [path]:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _in_folder(folder: Path, reading: ConfigReader) -> list[Path]:
    try:
        names = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        reading.problems.append(FilePosition(str(folder)).problem(f"cannot be read: {error.strerror or error}"))
        return []
    for file in names:
        if file.suffix == ".yml":
            message = "is not read: only *.yaml files of a folder are; rename it"
            reading.problems.append(FilePosition(str(file)).problem(message))
    files = [file for file in names if file.suffix == ".yaml"]
    if not files:
        reading.problems.append(FilePosition(str(folder)).problem("contains no *.yaml file"))
    return files
