"""The operators' commands in the targets' namespaces: one ConfigMap per target, one entry per command.

The daemon reads them (from its watch, so an idle target costs nothing); the command line writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Protocol

import structlog

from analyzer.kube.errors import KubeError, NotFoundError, PreconditionError
from analyzer.kube.objects import CONFIG_MAPS, Api, Json, Kind, PatchType
from analyzer.model.errors import RecordError
from analyzer.model.metadata_keys import keys_of, values_of
from analyzer.model.state import EXECUTED_KEPT, Command
from analyzer.record import codec
from analyzer.record.configmaps import names
from analyzer.record.configmaps.maps import translated
from analyzer.record.configmaps.names import DocumentKind

_TRIES = 3
_log = structlog.get_logger(__name__)


class Lookup(Protocol):
    """Where ConfigMaps are looked up without a request: the cache of a watch."""

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """The object as it was last seen, or None. Raises KubeError when that is too long ago."""
        ...


class CommandReader:
    """Reads the commands of each target.

    Who wrote a command cannot be known: the API server records the program, not the person. So `by` is what the
    command says, marked as unverified.
    """

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._unreadable: set[str] = set()
        self._read: dict[str, tuple[str, tuple[Command, ...]]] = {}

    def commands(self, target: str, namespace: str) -> tuple[Command, ...]:
        """The commands on file, oldest first; an entry that is no command is left out and logged once.

        Raises RecordError when they cannot be looked up.
        """
        try:
            found = self._lookup.get(CONFIG_MAPS, namespace, names.commands_name(target))
        except KubeError as error:
            raise RecordError(f"cannot read the commands for {target}: {error}") from error
        if found is None or not names.holds(DocumentKind.COMMANDS, found["metadata"].get("labels")):
            self._read.pop(target, None)
            return ()
        version = f"{namespace}/{found['metadata'].get('uid')}/{found['metadata']['resourceVersion']}"
        known, commands = self._read.get(target, ("", ()))
        if known != version:
            commands = tuple(sorted(self._decoded(found, namespace), key=lambda command: (command.at, command.id)))
            self._read[target] = (version, commands)
        return commands

    def _decoded(self, found: Json, namespace: str) -> Iterator[Command]:
        for key, text in (found.get("data") or {}).items():
            entry = f"ConfigMap {namespace}/{found['metadata']['name']}, entry {key}"
            try:
                command = codec.decode_command(text.encode(), entry)
            except RecordError as error:
                if entry not in self._unreadable:
                    self._unreadable.add(entry)
                    _log.warning("command_ignored", source=entry, reason=str(error), hint=codec.COMMAND_HINT)
            else:
                yield replace(command, by=f"{command.by} (unverified)")


def submit(api: Api, namespace: str, target: str, command: Command) -> None:
    """Put a command on file in the target's namespace; operators may do so at the same time. Raises RecordError.

    Only as many commands stay on file as a state document remembers, so none of them is ever executed again.
    """
    name = names.commands_name(target)
    for _ in range(_TRIES):
        with translated(f"submit {command.verb} of {target}", namespace, "get, create, patch"):
            try:
                present = api.get(CONFIG_MAPS, namespace, name)
            except NotFoundError:
                try:
                    api.create(CONFIG_MAPS, namespace, _new(name, target, command))
                except PreconditionError:  # another operator was first: add to it
                    continue
            else:
                _refuse_foreign(present, namespace, name)
                api.patch(CONFIG_MAPS, namespace, name, _added(present, target, command), PatchType.MERGE)
        return
    raise RecordError(
        f"ConfigMap {namespace}/{name} was created and deleted meanwhile; nothing was submitted, try again"
    )


def _new(name: str, target: str, command: Command) -> Json:
    return {
        "metadata": {
            "name": name,
            "labels": names.labels_of(DocumentKind.COMMANDS, target),
            "annotations": names.annotations_of(target),
        },
        "data": {command.id: codec.encode_command(command).decode()},
    }


def _added(present: Json, target: str, command: Command) -> Json:
    """With all labels: a map that was made by hand, or by an earlier version, may have those of one version only."""
    outdated = sorted(present.get("data") or {})[: -(EXECUTED_KEPT - 1)]
    return {
        "metadata": {"labels": names.labels_of(DocumentKind.COMMANDS, target)},
        "data": {**dict.fromkeys(outdated), command.id: codec.encode_command(command).decode()},
    }


def _refuse_foreign(present: Json, namespace: str, name: str) -> None:
    labels = present["metadata"].get("labels") or {}
    if not names.holds(DocumentKind.COMMANDS, labels):
        key, *_ = keys_of(names.DOCUMENT)
        found = ", ".join(values_of(labels, names.DOCUMENT)) or "none"
        raise RecordError(
            f"ConfigMap {namespace}/{name}: expected the label {key}={DocumentKind.COMMANDS}, "
            f"found {found}; add the label, or rename the ConfigMap if it is not one of canary-analyzer"
        )
