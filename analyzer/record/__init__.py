"""The documents of each target: state, status, history, and the operators' commands.

Rule: a document is written whole or not at all, and one that cannot be understood is never overwritten. State,
status and history have one writer, the daemon; commands are written by operators and only read by the daemon.
"""

from analyzer.record.files import FileStore
from analyzer.record.status import history_entry, status_of

__all__ = ["FileStore", "history_entry", "status_of"]
