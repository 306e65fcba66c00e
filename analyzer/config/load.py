"""Files and folders in, one Configuration out: once, or again whenever they change.

Every canary is taken with the defaults filled in; form and meaning are checked in one pass, over all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field

from analyzer.config.alerts import AlertsKeys
from analyzer.config.analysis import AnalysisKeys
from analyzer.config.configuration import Configuration, ReleaseLimits
from analyzer.config.files import read_all
from analyzer.config.keys import Around, Each, KeyPath, Keys, Mistake, Unknown, check, meaning_mistakes
from analyzer.config.plan import PlanKeys
from analyzer.config.problems import form_mistakes
from analyzer.config.prometheus import PrometheusKeys
from analyzer.config.targets import IdentityKeys, Inherited, TargetKeys, inherited, target_mistakes
from analyzer.config.watch import digest
from analyzer.config.yaml import FilePosition, YamlDocument
from analyzer.model.errors import ConfigError, Problem
from analyzer.model.metric import Analysis, SeriesLabels
from analyzer.model.plan import Advance, OnInconclusive, Plan
from analyzer.model.target import Roles, Target

API_VERSION: Final = "canary-analyzer.io/v1"
LEGACY_API_VERSION: Final = "canary-analyzer/v1"
"""Its name in earlier versions, accepted with a warning."""

_ApiVersion = Annotated[
    Literal["canary-analyzer.io/v1"],
    BeforeValidator(
        lambda given: API_VERSION if given == LEGACY_API_VERSION else given,
        json_schema_input_type=Literal["canary-analyzer.io/v1", "canary-analyzer/v1"],
    ),
]


class LimitsKeys(Keys):
    """Limits over all releases."""

    max_concurrent: int = Field(
        default=ReleaseLimits().max_concurrent,
        ge=1,
        description="Maximum number of releases in progress. Others wait in PENDING, oldest first.",
    )


class DefaultsKeys(TargetKeys):
    """Defaults for all canaries."""

    whole = False
    plan: PlanKeys = Field(default=PlanKeys(), description="Steps, capacity and promotion of a release.")
    analysis: AnalysisKeys = Field(default=AnalysisKeys(), description="Metrics, and the error rates of their tests.")


class CanaryKeys(DefaultsKeys, IdentityKeys):
    """One canary target."""

    whole = True

    def target(self) -> Target:
        """The target, once there are no mistakes."""
        return Target(
            name=self.name,
            namespace=self.namespace,
            roles=Roles(stable=self.stable, canary=self.canary),
            plan=self.plan.plan(),
            analysis=self.analysis.analysis(),
            mode=self.mode,
            on_drift=self.on_drift,
            service=self.service,
        )

    @check
    def _no_metrics(self) -> Iterator[Mistake]:
        if not self.analysis.metrics:
            message = "is missing; give at least one metric: metrics: [{preset: http-errors}]"
            yield (("analysis", "metrics"), message)

    @check
    def _never_promoted(self) -> Iterator[Mistake]:
        gatings = {metric.gating for metric in self.analysis.metrics}
        if any(gating.promotes for gating in gatings) or not any(gating.aborts for gating in gatings):
            return
        if self.plan.advance is Advance.PROOF or self.plan.on_inconclusive is not OnInconclusive.PROMOTE:
            message = (
                "no metric gates promotion, so no release would ever be promoted; set `gating: both` on one, or "
                "`plan: {advance: time, onInconclusive: promote}`"
            )
            yield (("analysis", "metrics"), message)


class FileKeys(Keys):
    """One configuration file. The files of a folder form one configuration."""

    planned: ClassVar = {"groups": "list each canary", "windows": "use `freeze`"}
    api_version: _ApiVersion = Field(
        default=API_VERSION,
        description=f"Version of this format; optional. `{LEGACY_API_VERSION}` is its deprecated name.",
    )
    prometheus: PrometheusKeys | None = Field(
        default=None, description="Connection to Prometheus. Required, in one file."
    )
    alerts: AlertsKeys = Field(default=AlertsKeys(), description="Where alerts go. In one file only.")
    limits: LimitsKeys = Field(default=LimitsKeys(), description="Limits over all releases. In one file only.")
    freeze: bool = Field(
        default=False,
        description="`true`: no release starts or moves forward; rollbacks still happen. In one file only.",
    )
    defaults: DefaultsKeys = Field(
        default=DefaultsKeys(),
        description="Defaults for all canaries. Keys of a canary override them one by one; lists are replaced "
        "as a whole. In one file only.",
    )
    canaries: Each[CanaryKeys] = Field(default=[], description="Canary targets, in any file.")

    def connection(self) -> PrometheusKeys:
        """How Prometheus is reached; Unknown where this file does not say it."""
        if self.prometheus is None:
            raise Unknown("prometheus")
        return self.prometheus


_SINGLE = ("prometheus", "alerts", "limits", "freeze", "defaults")
"""Keys that only one file may have."""


@dataclass(frozen=True, slots=True)
class _File:
    """A document as keys, with the defaults filled in in its `canaries`."""

    document: YamlDocument
    canaries: tuple[Inherited, ...]
    keys: FileKeys

    @property
    def folder(self) -> Path:
        """Where the files are that it names."""
        return Path(self.document.file).parent

    def place(self, path: KeyPath) -> FilePosition:
        """Where this path stands."""
        match path:
            case ("canaries", int(index), *rest):
                return self.canaries[index].place(tuple(rest))
            case _:
                return self.document.place(path)

    def form(self) -> Iterator[Problem]:
        """Mistakes of form. Those in the defaults are found there, not in each canary."""
        for path, message in form_mistakes(self.keys):
            place = self.place(path)
            if place.path[:1] == path[:1]:
                yield place.problem(message)

    def warnings(self) -> Iterator[Problem]:
        """What is accepted and has a new name."""
        if self.document.value.get("apiVersion") == LEGACY_API_VERSION:
            message = f"{LEGACY_API_VERSION} is deprecated; write {API_VERSION} when every daemon has been upgraded"
            yield self.document.place(("apiVersion",)).problem(message)

    def meaning(self, around: Around) -> Iterator[Problem]:
        """What cannot work, though each key by itself is fine."""
        return (self.place(path).problem(message) for path, message in meaning_mistakes(self.keys, around))


def load(paths: Sequence[Path]) -> Configuration:
    """Read files and folders (their `*.yaml`) as one configuration. Raises ConfigError with every mistake."""
    sources = read_all(paths)
    holders = {key: sources.holder(key) for key in _SINGLE}
    files = [_file(document, holders["defaults"]) for document in sources.documents]
    single = {key: file for key in _SINGLE for file in files if file.document is holders[key]}
    sources.require("prometheus", "set its URL: prometheus: {url: http://...}")
    sources.require("canaries", "list at least one: canaries: [{name: my-app, stable: ..., canary: ...}]")
    canaries = [canary for file in files for canary in file.canaries]
    sources.problems += target_mistakes(canaries)
    around = Around(
        labels=_labels(single.get("prometheus")),
        targets=[str(canary.own["name"]) for canary in canaries if "name" in canary.own] if sources.complete else None,
        receivers=_receivers(single.get("alerts")),
    )
    for file in files:
        sources.problems += file.form()
        sources.problems += file.meaning(around)
    if sources.problems:
        raise ConfigError(sources.in_order())
    return _configuration(files, single)


def _file(document: YamlDocument, defaults: YamlDocument | None) -> _File:
    canaries = inherited(document, defaults)
    merged = {"canaries": [canary.merged() for canary in canaries]} if canaries else {}
    return _File(document, canaries, FileKeys.model_validate({**document.value, **merged}))


def _labels(file: _File | None) -> SeriesLabels | None:
    """The labels that hold a series' pod, where they are known."""
    try:
        return file.keys.connection().labels.series_labels() if file else SeriesLabels()
    except Unknown:
        return None


def _receivers(file: _File | None) -> list[str] | None:
    """The names of all receivers, where they are known."""
    try:
        return [receiver.name for receiver in file.keys.alerts.receivers] if file else []
    except Unknown:
        return None


def _configuration(files: Sequence[_File], single: Mapping[str, _File]) -> Configuration:
    """What it all says, once there are no mistakes. A key that no file has is as usual in the first."""
    prometheus, alerts, limits, freeze = (single.get(key, files[0]) for key in _SINGLE[:4])
    receivers = tuple(receiver.receiver(alerts.folder) for receiver in alerts.keys.alerts.receivers)
    usual = Configuration(prometheus.keys.connection().settings(prometheus.folder))
    return replace(
        usual,
        targets=tuple(_shared(canary.target() for file in files for canary in file.keys.canaries)),
        receivers=receivers or usual.receivers,
        routes=tuple(route.route() for route in alerts.keys.alerts.routes),
        limits=ReleaseLimits(limits.keys.limits.max_concurrent),
        freeze=freeze.keys.freeze,
        warnings=tuple(warning for file in files for warning in file.warnings()),
    )


def _shared(targets: Iterable[Target]) -> Iterator[Target]:
    """Thousands of targets mostly have the same plan and analysis: one of each is kept."""
    plans: dict[Plan, Plan] = {}
    analyses: dict[Analysis, Analysis] = {}
    for target in targets:
        plan, analysis = target.plan, target.analysis
        yield replace(target, plan=plans.setdefault(plan, plan), analysis=analyses.setdefault(analysis, analysis))


class ConfigWatch:
    """The configuration in these files and folders; `current` is the last one without mistakes.

    Files of secrets that are read once (the URL of a webhook) count as content too; those that are read at each use
    need no watching.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        """Read it for the first time. Raises ConfigError."""
        self._paths = tuple(paths)
        self._seen = digest(self._paths)
        self.current = load(self._paths)
        self._seen_secrets = digest(_secrets(self.current))

    def changed(self) -> Configuration | None:
        """The new configuration, or None when nothing has changed since the last look.

        Raises ConfigError once for each wrong content: `current` stays.
        """
        seen, secrets = digest(self._paths), digest(_secrets(self.current))
        if (seen, secrets) == (self._seen, self._seen_secrets):
            return None
        self._seen, self._seen_secrets = seen, secrets
        found = load(self._paths)
        self.current = found
        self._seen_secrets = digest(_secrets(found))
        return found


def _secrets(configuration: Configuration) -> list[Path]:
    return [file for receiver in configuration.receivers for file in receiver.channel.files()]
