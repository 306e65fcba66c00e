"""Files that a kill, at whatever moment, leaves either old or new. The file store and the commands use it."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.model.errors import RecordError

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


def safe_name(name: str) -> str:
    """`name`, once it is known to be a plain file name. Raises RecordError."""
    if not _SAFE_NAME.fullmatch(name):
        raise RecordError(
            f"{name!r} cannot be the name of a document: expected at most 200 letters, digits, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    return name


def read(path: Path) -> bytes | None:
    """The file's bytes, or None when there is no such file. Raises RecordError."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {_why(error)}; check the disk and its permissions") from error


def replace(path: Path, content: bytes) -> None:
    """Put `content` at `path` as a whole, durably: it is on disk when this returns. Raises RecordError.

    Hold the document's lock, unless nobody else writes to this path: the new text is first written to a file beside
    it that always has the same name, so a kill leaves at most one such file, and the next write takes it away.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_beside(path, content)
        _sync_folder(path.parent)
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {_why(error)}; check disk space and permissions") from error


def _write_beside(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove a file, if it is still there. Raises RecordError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise RecordError(f"{path} cannot be removed: {_why(error)}; check its permissions") from error


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep every other process and thread out that locks the same path. Raises RecordError.

    The lock is a file of its own, because the documents are replaced, and with them whatever lock they had; the
    system frees it when the process dies.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise RecordError(f"{path} cannot be locked: {_why(error)}; check the disk and its permissions") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def documents(folder: Path) -> list[Path]:
    """The JSON documents in a folder by name, without half-written ones; none when there is no such folder."""
    try:
        found = sorted(folder.iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RecordError(f"{folder} cannot be read: {_why(error)}; check its permissions") from error
    return [path for path in found if path.suffix == ".json" and not path.name.startswith(".")]


def _why(error: OSError) -> str:
    return error.strerror or str(error)
