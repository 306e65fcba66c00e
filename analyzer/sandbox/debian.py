"""Gets one program out of a Debian or Ubuntu package, without root and without installing anything.

Used by `prometheus` where the program is not on the machine. apt checks the package against the
distribution's signed lists.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

from analyzer.model.errors import SandboxError
from analyzer.model.numbers import seconds

SECONDS = 300.0
"""How long one step may take, the download included."""

TOLD = 300
"""How many characters of apt's complaint an error shows."""


def available() -> bool:
    """Does this machine have Debian's tools?"""
    return all(shutil.which(tool) for tool in ("apt-get", "dpkg-deb"))


def fetch_program(package: str, program: str, cache: Path) -> Path:
    """Unpack `program` (a path inside the package) to `<cache>/<package>-<version>/`, and give its path.

    Two callers at once are safe: both fetch, one of them wins. Raises SandboxError.
    """
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetching-", dir=cache) as folder:
            return _fetch(package, program, cache, Path(folder))
    except OSError as error:
        raise SandboxError(
            f"cannot unpack {package} to {cache}: {error}; set XDG_CACHE_HOME to a writable folder"
        ) from error


def _fetch(package: str, program: str, cache: Path, folder: Path) -> Path:
    archive = _download(package, folder)
    version = _run(["dpkg-deb", "--field", str(archive), "Version"], folder).strip()
    unpacked, kept = folder / "unpacked", folder / "kept"
    _run(["dpkg-deb", "--extract", str(archive), str(unpacked)], folder)
    kept.mkdir()
    (unpacked / program).rename(kept / Path(program).name)
    place = cache / f"{package}-{version}"
    with suppress(OSError):  # it is there already: another process was faster, or an unusable one is in the way
        kept.rename(place)
    found = place / Path(program).name
    if not os.access(found, os.X_OK):
        raise SandboxError(f"{found} is not executable; remove {place}")
    return found


def _download(package: str, folder: Path) -> Path:
    drop = folder / "drop"
    drop.mkdir()
    folder.chmod(0o755)
    if os.geteuid() == 0:
        with suppress(LookupError, OSError):
            shutil.chown(drop, "_apt")  # root's apt downloads as this user
    try:
        _run(["apt-get", "download", package], drop)
    except SandboxError:
        # The machine's package lists are missing or old: fetch lists of our own, and leave the machine's alone.
        private = _private_lists(folder / "apt")
        _run(["apt-get", *private, "update"], drop)
        _run(["apt-get", *private, "download", package], drop)
    archives = list(drop.glob(f"{package}_*.deb"))
    if not archives:
        raise SandboxError(f"apt-get download {package} wrote no package")
    return archives[0]


def _private_lists(folder: Path) -> list[str]:
    for name in ("lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    settings = {
        "Dir::State::lists": folder / "lists",
        "Dir::Cache": folder / "cache",
        "APT::Sandbox::User": "root",  # these folders are not for the user that root's apt downloads as
    }
    return [part for name, value in settings.items() for part in ("-o", f"{name}={value}")]


def _run(command: list[str], folder: Path) -> str:
    shown = " ".join(command[:1] + command[-2:])
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise SandboxError(f"{shown}: not done within {seconds(SECONDS)}") from error
    if done.returncode != 0:
        raise SandboxError(f"{shown} failed: {' '.join(done.stderr.split())[-TOLD:]}")
    return done.stdout
