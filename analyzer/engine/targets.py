"""Every target that this process works for, and the one lock for what several of them share: who holds which, and who
has a slot. It is never held over I/O.

A target is held by its tick in a sweep, by one between sweeps, or by the outbox that marks what it delivered: else
they would refuse each other's writes by version, and a tick would be lost for every alert.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from datetime import datetime

from analyzer.engine.target import Holder, TargetRuntime
from analyzer.model.target import Target


class Targets:
    """The runtimes by name. Thread-safe; a target may be released by another thread than took it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._all: dict[str, TargetRuntime] = {}

    def of(self, name: str) -> TargetRuntime:
        """The runtime of a target; a new one where there is none yet."""
        with self._changed:
            runtime = self._all.get(name)
            if runtime is None:
                runtime = self._all[name] = TargetRuntime(name)
            return runtime

    def all(self) -> tuple[TargetRuntime, ...]:
        """Every runtime, at this moment."""
        with self._changed:
            return tuple(self._all.values())

    def configure(self, targets: Collection[Target]) -> None:
        """The configuration has these targets now, and no others."""
        wanted = {target.name: target for target in targets}
        for target in targets:
            self.of(target.name)
        for runtime in self.all():
            runtime.removed = runtime.name not in wanted
            runtime.configured = wanted.get(runtime.name, runtime.configured)

    def drop_finished(self) -> list[str]:
        """Drop the targets that are no longer configured and have nothing left to do; gives their names."""
        with self._changed:
            done = [one for one in self._all.values() if one.removed and one.finished and one.holder is None]
            for runtime in done:
                del self._all[runtime.name]
        for runtime in done:
            runtime.drop_checks()
        return [runtime.name for runtime in done]

    def forget_states(self) -> None:
        """Another daemon may have written meanwhile: no state and no status is known any more."""
        for runtime in self.all():
            runtime.state = None
            runtime.published = None

    # Holding a target

    def take_for_ticks(self, names: Iterable[str], seconds: float) -> frozenset[str]:
        """Take targets for their ticks, and wait this long where the holder is a brief one; gives those taken.

        Left out are targets whose last tick still runs, or that are not released in time.
        """
        runtimes = {name: self.of(name) for name in names}
        with self._changed:
            taken = {name for name, one in runtimes.items() if _take(one, Holder.TICK)}
            brief = [one for name, one in runtimes.items() if name not in taken and one.holder is not Holder.TICK]
            self._changed.wait_for(lambda: all(one.holder in (None, Holder.TICK) for one in brief), timeout=seconds)
            return frozenset(taken | {one.name for one in brief if _take(one, Holder.TICK)})

    def take_between(self, name: str) -> bool:
        """Take a target for a tick between sweeps; False when another holds it."""
        runtime = self.of(name)
        with self._changed:
            return _take(runtime, Holder.BETWEEN)

    def take_for_outbox(self, name: str, seconds: float) -> bool:
        """Take a target to mark its alerts; False when its tick does not end in time."""
        runtime = self.of(name)
        with self._changed:
            self._changed.wait_for(lambda: runtime.holder is None, timeout=seconds)
            return _take(runtime, Holder.OUTBOX)

    def release(self, name: str) -> None:
        """Let others have the target."""
        with self._changed:
            runtime = self._all.get(name)
            if runtime is not None:
                runtime.holder = None
            self._changed.notify_all()

    def wait_until_free(self, seconds: float) -> bool:
        """Wait until no target is held; False when one still is."""
        with self._changed:
            return self._changed.wait_for(lambda: all(one.holder is None for one in self._all.values()), seconds)

    # Slots for releases, oldest first

    def slot(self, runtime: TargetRuntime, since: datetime, limit: int, *, take: bool) -> str | None:
        """Queue for a slot, pending `since` then, and `take` one if it is this target's turn. Gives why it must wait,
        or None."""
        with self._changed:
            runtime.waiting_since = since
            used = older = 0
            for one in self._all.values():
                if one is runtime:
                    continue
                if one.active or one.granted:
                    used += 1
                elif _is_before(one, runtime):
                    older += 1
            if used + older >= limit:
                waiting = f", {older} older ones waiting" if older else ""
                return f"waiting for a slot: {used} of {limit} releases in progress{waiting} (limits.maxConcurrent)"
            runtime.granted = runtime.granted or take
            return None

    def leave_queue(self, runtime: TargetRuntime) -> None:
        """A target that cannot begin for another reason must not keep younger ones waiting."""
        with self._changed:
            runtime.waiting_since = None

    def settle(self, runtime: TargetRuntime, *, failed: bool) -> None:
        """Its tick is over: the state tells now whether the release began. One that `failed` loses its place."""
        with self._changed:
            runtime.granted = False
            if failed or not runtime.pending:
                runtime.waiting_since = None
        if not runtime.pending:
            runtime.drop_checks()


def _is_before(one: TargetRuntime, other: TargetRuntime) -> bool:
    """Does the one wait for a slot, and longer than the other?"""
    if one.waiting_since is None or other.waiting_since is None or not one.pending:
        return False
    return (one.waiting_since, one.name) < (other.waiting_since, other.name)


def _take(runtime: TargetRuntime, holder: Holder) -> bool:
    if runtime.holder is not None:
        return False
    runtime.holder = holder
    return True
