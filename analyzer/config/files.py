"""Which files make up a configuration: those named, and the *.yaml files of folders. Called by `load`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from analyzer.config.yaml import FilePosition, YamlDocument, read_document
from analyzer.model.errors import Problem


@dataclass(slots=True)
class Sources:
    """All documents, and all mistakes so far. Not `complete`: what seems to be missing may be in an unreadable file."""

    documents: list[YamlDocument] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    complete: bool = True

    def holder(self, key: str) -> YamlDocument | None:
        """The one document that has this key; a second one is a mistake."""
        holders = [document for document in self.documents if key in document.value]
        for other in holders[1:]:
            here, first = other.place((key,)), holders[0].place((key,))
            self.problems.append(here.problem(f"already given {first.seen_from(here)}; keep it in one file"))
        return holders[0] if holders else None

    def require(self, key: str, advice: str) -> None:
        """Note it where no document has this key."""
        if self.complete and self.documents and not any(key in document.value for document in self.documents):
            self.problems.append(self.documents[0].place((key,)).problem(f"is missing; {advice}"))

    def in_order(self) -> tuple[Problem, ...]:
        """Each mistake once, by file and line."""
        files = {document.file: number for number, document in enumerate(self.documents)}
        each = dict.fromkeys(self.problems)
        return tuple(sorted(each, key=lambda one: (files.get(one.file, -1), one.line or 0, one.path)))


def read_all(paths: Sequence[Path]) -> Sources:
    """Read every file once. Never raises: what cannot be read is a Problem."""
    sources = Sources()
    if not paths:
        sources.problems.append(FilePosition("(no file)").problem("expected at least one file or folder"))
    for file in _files(paths, sources):
        document, problems = read_document(file)
        sources.problems += problems
        if document is None:
            sources.complete = False
        else:
            sources.documents.append(document)
    return sources


def _files(paths: Sequence[Path], sources: Sources) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in paths:
        for file in _in_folder(path, sources) if path.is_dir() else [path]:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def _in_folder(folder: Path, sources: Sources) -> list[Path]:
    try:
        names = sorted(file for file in folder.iterdir() if not file.name.startswith("."))
    except OSError as error:
        sources.problems.append(FilePosition(str(folder)).problem(f"cannot be read: {error.strerror or error}"))
        return []
    for file in names:
        if file.suffix == ".yml":
            message = "is not read: only *.yaml files of a folder are; rename it"
            sources.problems.append(FilePosition(str(file)).problem(message))
    files = [file for file in names if file.suffix == ".yaml"]
    if not files:
        sources.problems.append(FilePosition(str(folder)).problem("contains no *.yaml file"))
    return files
