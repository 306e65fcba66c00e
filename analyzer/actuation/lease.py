"""Which of several daemons may write: an election on a Lease of the API server. Started and stopped by `run`.

Only spans on this machine's own monotonic clock count, never another's time stamps: another's Lease has expired when
it has not changed for its duration while we looked. The right ends some seconds before the Lease does, so that a
request under way is over by then; `held` looks at the clock each time, so a process that was stopped finds out.
"""

from __future__ import annotations

import math
import random
import socket
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog

from analyzer.actuation.lease_record import LeaseRecord, lease_record, released, renewed, taken
from analyzer.actuation.workloads import WRITE_SECONDS
from analyzer.kube.errors import KubeError, NotFoundError, PreconditionError
from analyzer.kube.objects import LEASES, Api, Json, PatchType
from analyzer.model.duration import show_duration
from analyzer.ports import Clock

_HINT_UNREACHABLE = "without a renewal this daemon stops writing; check the API server and RBAC for leases"
_HINT_LOST = "this daemon stands by; if no other one leads, check who changed or deleted the Lease"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class LeaseTiming:
    """Seconds. A Lease lasts `duration`; it is renewed every `retry` and, after a failure, every quarter of that.

    After `renew_deadline` without success the right is lost, and `write` before that no write is begun any more.
    `request` is the time-out of a request for the Lease; `jitter` the most by which a pause is longer, as a part.
    """

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0
    request: float = 2.0
    write: float = WRITE_SECONDS
    jitter: float = 0.1


@dataclass(frozen=True, slots=True)
class LeaseAt:
    """Which Lease, and who we are there: no other process, not even the one before us, may have the same identity."""

    namespace: str
    name: str = "canary-analyzer"
    identity: str = field(default_factory=lambda: f"{socket.gethostname()}_{uuid.uuid4().hex[:8]}")


@dataclass(frozen=True, slots=True)
class _Right:
    """An epoch, and when the request was sent that renewed it last."""

    epoch: int
    since: float


@dataclass(frozen=True, slots=True)
class _Sight:
    """How the Lease stands, and since when we have seen it so."""

    record: LeaseRecord
    since: float


class LeaseElector:
    """A `Lease` on the API server. `held` may be asked from any thread; the rest belongs to one.

    `chance` gives numbers from 0 to 1 for the jitter.
    """

    def __init__(
        self,
        api: Api,
        clock: Clock,
        at: LeaseAt,
        timing: LeaseTiming | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._api = api
        self._clock = clock
        self._at = at
        self._timing = timing or LeaseTiming()
        self._chance = chance
        self._right: _Right | None = None
        self._mine: LeaseRecord | None = None
        self._sure = False
        self._sight: _Sight | None = None
        self._quiet_until = -math.inf
        self._highest = 0
        self._troubled = False
        self._stepped_at = -math.inf
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def held(self) -> int | None:
        """The epoch under which this process may begin a write now; None: another one may hold the Lease."""
        right, now = self._right, self._clock.monotonic()
        lasting = self._timing.renew_deadline - self._timing.write
        if right is None or now < self._quiet_until or now - right.since >= lasting:
            return None
        return right.epoch

    def start(self) -> None:
        """Take part in the election, in a thread of its own, until `stop`."""
        self._stepped_at = self._clock.monotonic()
        self._thread = threading.Thread(target=self.run, args=(self._stopping.wait,), name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave the election, and give the Lease back. Called when no write is under way any more."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        self.release()

    def overdue(self, slack: timedelta) -> tuple[str, ...]:
        """The election, where its thread is gone, or has done nothing for three requests and `slack`; else nothing."""
        if self._thread is None or self._stopping.is_set():
            return ()
        longest = self._timing.retry + 3 * self._timing.request + slack.total_seconds()
        late = self._clock.monotonic() - self._stepped_at > longest
        return ("leader election",) if late or not self._thread.is_alive() else ()

    def run(self, wait: Callable[[float], bool]) -> None:
        """Step, and `wait` as long as that says, until `wait` says that it is over."""
        while not wait(self.step()):
            pass

    def step(self) -> float:
        """Renew the Lease, or try to win it; gives the seconds until the next step is due."""
        try:
            pause = self._compete() if self._mine is None else self._renew(self._mine)
        except KubeError as error:
            return self._out_of_reach(str(error))
        except Exception as error:  # noqa: BLE001 - an unexpected answer must not end the election unseen
            return self._out_of_reach(f"{type(error).__name__}: {error}")
        finally:
            self._stepped_at = self._clock.monotonic()
        self._troubled = False
        return self._stretched(pause)

    def _out_of_reach(self, reason: str) -> float:
        self._sure = False
        if not self._troubled:
            _log.warning("lease_unreachable", lease=self._at.name, reason=reason, hint=_HINT_UNREACHABLE)
        self._troubled = True
        return self._stretched(self._timing.retry / 4)

    def release(self) -> None:
        """Write no more, and let another one take over at once. A failure is only logged: the Lease then expires."""
        mine, self._mine, self._right = self._mine, None, None
        if mine is None or self._clock.monotonic() < self._quiet_until:
            return
        try:
            self._patch(released(mine, self._clock.now()))
            _log.info("lease_released", lease=self._at.name, epoch=mine.epoch)
        except KubeError as error:
            _log.warning(
                "lease_release_failed",
                lease=self._at.name,
                reason=str(error),
                hint=f"another daemon can take over in {show_duration(self._timing.duration)}, when the Lease expires",
            )

    def _renew(self, mine: LeaseRecord) -> float:
        sent = self._clock.monotonic()
        try:
            known = mine if self._sure else self._read_again(mine)
            self._mine = self._patch(renewed(known, self._clock.now()))
        except (PreconditionError, NotFoundError) as error:
            self._mine = self._right = None
            _log.warning("lease_lost", lease=self._at.name, epoch=mine.epoch, reason=str(error), hint=_HINT_LOST)
            return self._timing.retry
        self._sure = True
        self._right = _Right(mine.epoch, sent)
        return self._timing.retry

    def _read_again(self, mine: LeaseRecord) -> LeaseRecord:
        """After a renewal without an answer: it may have been made, and then the Lease has another version."""
        found = lease_record(self._get())
        if (found.holder, found.epoch) != (mine.holder, mine.epoch):
            raise PreconditionError(f"Lease {self._at.name} is held by {found.holder or 'no one'}, epoch {found.epoch}")
        return found

    def _compete(self) -> float:
        asked = self._clock.monotonic()
        try:
            record = lease_record(self._get())
        except NotFoundError:
            record = None
        self._look(record)
        missing = 0.0 if record is None or self._sight is None else self._free_at(self._sight) - asked
        return min(missing, self._timing.retry) if missing > 0 else self._take(record)

    def _look(self, record: LeaseRecord | None) -> None:
        """Note since when the Lease is as it is; and be quiet for its duration after one that was deleted.

        Nobody knows who had the right to that one. A Lease of which we do not know that we made it is such a one too:
        our request may have arrived late. Only where there never was a Lease, nobody can have it.
        """
        now = self._clock.monotonic()
        first = self._sight is None
        made = record is not None and record.holder == self._at.identity and record.transitions == 0
        if made or (record is None and not first):
            self._quiet_until = now + self._timing.duration
        if record is not None:
            self._highest = max(self._highest, record.epoch)
            if self._sight is None or self._sight.record.version != record.version:
                self._sight = _Sight(record, now)

    def _free_at(self, seen: _Sight) -> float:
        """When the right to a Lease that nobody renews any more is over."""
        if seen.record.holder in ("", self._at.identity):
            return -math.inf
        return seen.since + max(self._timing.duration, seen.record.seconds)

    def _take(self, record: LeaseRecord | None) -> float:
        sent, now = self._clock.monotonic(), self._clock.now()
        # Epochs rise even if the Lease, which keeps the last one, is deleted.
        epoch = max(self._highest + 1, int(now.timestamp()))
        body = taken(record, self._at.identity, epoch, self._timing.duration, now)
        try:
            mine = self._create(body) if record is None else self._patch(body)
        except (PreconditionError, NotFoundError):
            return self._timing.retry
        self._mine, self._sure, self._sight = mine, True, _Sight(mine, sent)
        self._highest = epoch
        self._right = _Right(epoch, sent)
        _log.info("lease_acquired", lease=self._at.name, epoch=epoch, previous=record.holder if record else "")
        return self._timing.retry

    def _get(self) -> Json:
        return self._api.get(LEASES, self._at.namespace, self._at.name, timeout=self._timing.request)

    def _create(self, body: dict[str, Any]) -> LeaseRecord:
        body["metadata"] |= {"name": self._at.name, "namespace": self._at.namespace}
        return lease_record(self._api.create(LEASES, self._at.namespace, body, timeout=self._timing.request))

    def _patch(self, body: Json) -> LeaseRecord:
        how = PatchType.MERGE
        return lease_record(
            self._api.patch(LEASES, self._at.namespace, self._at.name, body, how, timeout=self._timing.request)
        )

    def _stretched(self, seconds: float) -> float:
        return seconds * (1.0 + self._timing.jitter * self._chance())
