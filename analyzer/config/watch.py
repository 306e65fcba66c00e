"""The state of files by their contents, to see that a configuration has changed on disk. Asked every few seconds.

Contents are compared, not times: a mounted ConfigMap or Secret is replaced by turning a symbolic link, which leaves
the times of the files in it what they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(paths: Iterable[Path]) -> str:
    """Of names and contents; what cannot be read counts as another content."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
        for file in files:
            digest.update(f"{file}\0".encode())
            try:
                content = file.read_bytes()
            except OSError as error:
                digest.update(f"{type(error).__name__}\0".encode())
            else:
                digest.update(hashlib.sha256(content).digest())
    return digest.hexdigest()
