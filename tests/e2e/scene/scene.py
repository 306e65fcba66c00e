"""Everything that one test needs, in namespaces of its own; all of it ends with the test."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import requests

from analyzer.model.phase import Phase
from analyzer.sandbox.receiver import AlertReceiver, Received
from analyzer.sandbox.runner import program_env
from tests.e2e.lab.api import ApiError, LabReflector, path_of
from tests.e2e.lab.credentials import grant_operator
from tests.e2e.lab.errors import LabError
from tests.e2e.lab.lab import LabAddress, wait_until
from tests.e2e.scene import earlier_program
from tests.e2e.scene.analyzer import PROGRAM, Analyzer
from tests.e2e.scene.configuration import Setup, configuration
from tests.e2e.scene.pair import Pair
from tests.plain_words import prose_of

Json = Mapping[str, Any]
_numbers = itertools.count(1)
CLI_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command printed, and its exit status."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """stdout as JSON."""
        return json.loads(self.out)


class Scene:
    """A context manager. `begin` brings pairs and users up and starts the daemon `analyzer`.

    `target` is the name of a canary target everywhere, by default the only one, `my-app`.
    """

    def __init__(self, lab: LabAddress, folder: Path, setup: Setup) -> None:
        self.lab, self.folder, self.setup = lab, folder, setup
        self.api = lab.api()
        number = f"{os.getpid()}-{next(_numbers)}"
        self.namespace, self.home = f"shop-{number}", f"home-{number}"
        self.config = folder / "canary.yaml"
        self.receiver = AlertReceiver()
        programs = {"first": PROGRAM, "second": PROGRAM, setup.earlier: earlier_program.COMMAND}
        self.analyzer = Analyzer(lab, folder, self.home, self.config, program=programs["first"])
        self.second = Analyzer(lab, folder, self.home, self.config, "analyzer-second", programs["second"])
        self.pairs = {name: Pair(lab, self.api, self.namespace, name) for name in setup.targets}
        self._phases: dict[str, list[str]] = {name: [] for name in setup.targets}
        self._awaited = dict.fromkeys(setup.targets, 0)
        self._documents = LabReflector(self.api, path_of("configmaps", self.home), self._note_phases)
        self._open = ExitStack()

    @property
    def pair(self) -> Pair:
        """The only pair, or the first."""
        return self.pairs[self.setup.targets[0]]

    def __enter__(self) -> Self:
        self._open.callback(self.api.close)
        for name in (self.namespace, self.home):
            self.lab.make_namespace(name, home=name == self.home)
            self._open.callback(self._forget, name)
        grant_operator(self.api, self.home, self.namespace)
        self.receiver.start()
        self._open.callback(self.receiver.stop)
        self._documents.start()
        self._open.callback(self._documents.stop)
        self.configure(self.setup)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def configure(self, setup: Setup) -> None:
        """Write the configuration; a daemon that runs follows it."""
        self.setup = setup
        content = configuration(setup, self.namespace, self.lab.prometheus, self.receiver.url)
        draft = self.config.with_suffix(".draft")
        draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
        draft.replace(self.config)

    def begin(self) -> None:
        """Pairs with ready pods and users, and a daemon that has seen them for the first time."""
        self.begin_pairs()
        self.start(self.analyzer)
        for name in self.pairs:
            self.wait_for(Phase.IDLE, target=name)

    def begin_pairs(self) -> None:
        """The same without the daemon."""
        for pair in self.pairs.values():
            self._open.callback(pair.end)
            pair.begin(self.setup.replicas, self.setup.env, self.setup.rps)

    def start(self, daemon: Analyzer, kill_at: str | None = None) -> None:
        """Start a daemon, which ends with the scene; see `Analyzer.start`."""
        self._open.callback(daemon.stop)
        daemon.start(kill_at)

    def state(self, target: str | None = None) -> Json:
        """The state document as it was written last, {} where there is none yet."""
        return self._document("state", target)

    def status(self, target: str | None = None) -> Json:
        """The status document, which may be up to 15 s behind in a release; {} where there is none yet."""
        return self._document("status", target)

    def history(self, target: str | None = None) -> Sequence[Json]:
        """Ended releases, oldest first."""
        found: Sequence[Json] = self._document("history", target).get("entries", ())
        return found

    def phases(self, target: str | None = None) -> Sequence[str]:
        """Every phase that the state document was in, in order, each as often as it was entered."""
        return self._phases[target or self.pair.name]

    def wait(self, condition: Callable[[], object], what: str, seconds: float = 90.0) -> None:
        """Look again and again; what the daemon says is in the message when it takes too long."""
        try:
            wait_until(condition, seconds, what)
        except AssertionError as error:
            said = {name: _summary(self.state(name)) for name in self.pairs}
            raise AssertionError(f"{error}; the daemon says {said}, its log is {self.analyzer.log_file}") from error

    def wait_for(self, *phases: Phase, target: str | None = None, seconds: float = 90.0) -> Json:
        """Until the state document is in one of these phases; gives it."""
        wanted = {phase.value for phase in phases}
        what = " or ".join(sorted(wanted))
        self.wait(lambda: self.state(target).get("phase") in wanted, what, seconds)
        return self.state(target)

    def wait_for_end(self, target: str | None = None, seconds: float = 120.0) -> Phase:
        """Until one more release has ended than this was called for: SUCCEEDED, ABORTED or GONE."""
        name = target or self.pair.name
        ended = {Phase.SUCCEEDED.value, Phase.ABORTED.value, Phase.GONE.value}

        def over() -> bool:
            state = self.state(name)
            return bool(state) and state["releases"] > self._awaited[name] and state["phase"] in ended

        self.wait(over, "the end of a release", seconds)
        state = self.state(name)
        self._awaited[name] = state["releases"]
        return Phase(state["phase"])

    def alerts(self, event: str | None = None, target: str | None = None) -> list[Received]:
        """What the receiver got, without repetitions; `event` such as `aborted`."""
        return [
            one
            for one in self.receiver.alerts
            if event is None or one.body["type"] == f"canary-analyzer.{event}"
            if target is None or target in json.dumps(one.body)
        ]

    def wait_for_alerts(self, event: str, count: int = 1, seconds: float = 30.0) -> list[Received]:
        """Until so many different alerts of an event have arrived."""
        self.wait(lambda: len(self.alerts(event)) >= count, f"{count} alerts {event!r}", seconds)
        return self.alerts(event)

    def events(self, deployment: str) -> list[Json]:
        """The Kubernetes Events about a Deployment, oldest first."""
        asked = f"involvedObject.kind=Deployment,involvedObject.name={deployment}"
        found = self.api.items(path_of("events", self.namespace), fieldSelector=asked)
        return sorted(found, key=lambda one: int(one["metadata"]["resourceVersion"]))

    def writes(self, daemon: Analyzer | None = None) -> list[Json]:
        """The audit log's record of writes by daemons in the targets' namespace and at home, oldest first."""
        uid = None if daemon is None else "first" if daemon is self.analyzer else "second"
        both = [one for name in (self.namespace, self.home) for one in self.lab.audit(uid, name)]
        kept = [one for one in both if one["verb"] in {"create", "patch", "update", "delete"}]
        return sorted(kept, key=lambda one: str(one["stageTimestamp"]))

    def cli(self, *arguments: str, seconds: float = CLI_SECONDS, program: Sequence[str] = PROGRAM) -> Answer:
        """Run the real program as an operator: somebody who may see documents and ask for things, no more."""
        places = ["--kubeconfig", str(self.lab.kubeconfig("operator")), "--analyzer-namespace", self.home]
        command = [*program, *arguments, *places]
        environment = program_env({"HOME": str(self.folder), "NO_COLOR": "1"})
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=seconds, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl printed, in the targets' namespace."""
        return self.lab.run_kubectl(*arguments, namespace=self.namespace, stdin=stdin)

    def texts(self) -> Iterator[str]:
        """All that people could read of it: alerts, statuses, history, log lines, Events."""
        for one in self.receiver.alerts:
            yield from prose_of(one.body)
        for name in self.pairs:
            yield from prose_of([self.status(name), self.history(name)])
        for daemon in (self.analyzer, self.second):
            yield from prose_of([line for line in daemon.log() if line.get("level") != "debug"])
        with suppress(ApiError, requests.RequestException):  # a lab that a test hurt may be gone
            yield from (str(one.get("message")) for one in self.api.items(path_of("events", self.namespace)))

    def story(self) -> str:
        """What happened, for somebody who looks at a test that failed."""
        logs = [daemon.log_file for daemon in (self.analyzer, self.second) if daemon.log_file.exists()]
        tails = [f"--- {log}\n" + "\n".join(log.read_text(errors="replace").splitlines()[-60:]) for log in logs]
        seen = [f"{name}: {' > '.join(self._phases[name])}; {_summary(self.state(name))}" for name in self.pairs]
        alerts = [f"alert {one.body['type']}" for one in self.receiver.alerts]
        return "\n".join([f"namespace {self.namespace}, lab {self.lab.folder}", *seen, *alerts, *tails])

    def _document(self, kind: str, target: str | None) -> Json:
        name = f"canary-analyzer-{kind}-{target or self.pair.name}"
        for one in self._documents.objects.values():
            if one["metadata"]["name"] == name:
                found: Json = json.loads(one["data"][f"{kind}.json"])
                return found
        return {}

    def _note_phases(self) -> None:
        for name, seen in self._phases.items():
            phase = self.state(name).get("phase")
            if phase is not None and (not seen or seen[-1] != phase):
                seen.append(phase)

    def _forget(self, namespace: str) -> None:
        with suppress(ApiError, LabError, requests.RequestException):  # a lab that a test hurt may be gone
            self.lab.api().delete(path_of("namespaces", name=namespace))


def _summary(state: Json) -> str:
    return f"{state.get('phase')}: {state.get('reason')}"
