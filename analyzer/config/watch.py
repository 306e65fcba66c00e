"""Tells when the configuration has changed on disk, by content. The daemon asks every few seconds.

Contents are compared, not times: a mounted ConfigMap or Secret is replaced by turning a symbolic link, which leaves
the times of the files in it what they were.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from analyzer.config.configuration import Configuration, Webhook
from analyzer.config.load import load


class ConfigWatch:
    """The configuration in these files and folders; `current` is the last one without mistakes.

    Files of secrets that are read once (the URL of a webhook) count as content too; those that are read at each use
    need no watching.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read it for the first time. Raises ConfigError."""
        self._paths = tuple(paths)
        self._seen = _digest(self._paths)
        self.current = load(self._paths)
        self._seen_secrets = _digest(_secrets(self.current))

    def changed(self) -> Configuration | None:
        """The new configuration, or None when nothing has changed since the last look.

        Raises ConfigError once for each wrong content: `current` stays.
        """
        seen, secrets = _digest(self._paths), _digest(_secrets(self.current))
        if (seen, secrets) == (self._seen, self._seen_secrets):
            return None
        self._seen, self._seen_secrets = seen, secrets
        found = load(self._paths)
        self.current = found
        self._seen_secrets = _digest(_secrets(found))
        return found


def _secrets(configuration: Configuration) -> list[Path]:
    channels = [receiver.channel for receiver in configuration.receivers]
    return [one.url_file for one in channels if isinstance(one, Webhook) and one.url_file is not None]


def _digest(paths: Iterable[Path]) -> str:
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
