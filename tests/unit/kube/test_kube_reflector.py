"""The reflector of a scope: resume, list again, back off, and how old its objects are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analyzer.kube.errors import ExpiredError, ForbiddenError, KubeError, UnavailableError
from analyzer.kube.objects import CONFIG_MAPS, DEPLOYMENTS, Change, Kind
from analyzer.kube.reflector import Reflector, WatchScope, WatchTiming
from tests.fakes.clock import FakeClock
from tests.fakes.kube_api import FakeApi
from tests.fakes.kube_objects import deployment


class Setting:
    """A reflector of all Deployments on a fake server, in fake time: a watch takes the seconds that it is asked for."""

    def __init__(self, wanted: frozenset[str] | None = None, scope: WatchScope | None = None) -> None:
        self.clock = FakeClock()
        self.api = FakeApi(self.clock, watch_seconds=0, on_watch_end=self.clock.advance)
        timing = WatchTiming(monotonic=self.clock.monotonic, chance=lambda: 1.0)
        self.reflector = Reflector(self.api, scope or WatchScope(DEPLOYMENTS), timing, wanted)

    def verbs(self) -> list[str]:
        verbs = [call.verb for call in self.api.calls]
        self.api.calls.clear()
        return verbs

    def names(self, namespace: str = "default") -> list[str]:
        return [found["metadata"]["name"] for found in self.reflector.indexer.items(namespace)]


def test_lists_once_and_then_resumes_from_where_the_watch_ended() -> None:
    setting = Setting()
    setting.api.put(DEPLOYMENTS, deployment("web"))
    assert setting.reflector.once() == 0
    setting.api.put(DEPLOYMENTS, deployment("shop"))
    setting.api.remove(DEPLOYMENTS, "default", "web")
    assert setting.reflector.once() == 0
    assert setting.verbs() == ["list", "watch", "watch"]
    assert setting.names() == ["shop"]


def test_keeps_transformed_objects() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.put(DEPLOYMENTS, deployment("web"), manager="kubectl")
    setting.reflector.once()
    found = setting.reflector.indexer.get("default", "web")
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert found["metadata"]["writers"] == {"replicas": "kubectl", "template": "kubectl"}


def test_lists_again_at_once_when_the_version_is_too_old() -> None:
    setting = Setting()
    setting.api.put(DEPLOYMENTS, deployment("web"))
    setting.reflector.once()
    setting.api.remove(DEPLOYMENTS, "default", "web")
    setting.api.expire_watches()
    assert setting.reflector.once() == 0
    assert setting.reflector.once() == 0
    assert setting.verbs() == ["list", "watch", "watch", "list", "watch"]
    assert setting.names() == []


def test_a_list_ends_a_problem_before_the_watch_after_it_ends() -> None:
    seen: list[KubeError | None] = []
    api = FakeApi(watch_seconds=0, on_watch_end=lambda _: seen.append(reflector.problem))
    reflector = Reflector(api, WatchScope(DEPLOYMENTS), WatchTiming())
    reflector.once()
    api.expire_watches()
    reflector.once()
    assert isinstance(reflector.problem, ExpiredError)
    reflector.once()
    assert seen == [None, None]


def test_a_server_whose_lists_expire_at_once_is_not_hammered() -> None:
    class Forgetful(FakeApi):
        def watch(
            self, kind: Kind, namespace: str | None, version: str, *, labels: str = "", seconds: int = 25
        ) -> Iterator[Change]:
            self.expire_watches()
            return super().watch(kind, namespace, version, labels=labels, seconds=seconds)

    reflector = Reflector(Forgetful(watch_seconds=0), WatchScope(DEPLOYMENTS), WatchTiming(chance=lambda: 1.0))
    assert [reflector.once() for _ in range(4)] == [0, 1, 2, 4]


def test_backs_off_with_jitter_up_to_a_bound_and_recovers() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.fail(8, verb="watch")
    setting.api.fail(1, verb="list")
    assert [setting.reflector.once() for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    assert str(setting.reflector.problem).startswith("the API server could not be reached")
    setting.api.heal()
    assert setting.reflector.once() == 0
    assert setting.reflector.problem is None
    setting.api.fail(1, verb="watch")
    assert setting.reflector.once() == 0.5


def test_the_jitter_halves_a_pause_at_most() -> None:
    setting = Setting()
    reflector = Reflector(setting.api, WatchScope(DEPLOYMENTS), WatchTiming(chance=lambda: 0.0))
    setting.api.fail(1)
    assert reflector.once() == 0.25


def test_waits_as_long_as_the_server_asks_but_not_for_ever() -> None:
    setting = Setting()
    setting.api.fail(1, UnavailableError("429", retry_after=4.0))
    setting.api.fail(1, UnavailableError("429", retry_after=3600.0))
    assert [setting.reflector.once() for _ in range(2)] == [4.0, 10.0]


def test_a_missing_right_is_told_and_tried_again() -> None:
    setting = Setting()
    setting.api.denied.add(("list", "deployments"))
    setting.reflector.once()
    assert isinstance(setting.reflector.problem, ForbiddenError)
    assert setting.reflector.age() is None
    setting.api.denied.clear()
    setting.reflector.once()
    assert setting.reflector.age() == 0


def test_resumes_after_a_short_outage_and_lists_again_after_a_long_one() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.fail(4, verb="watch")
    for _ in range(5):
        setting.reflector.once()
    assert setting.verbs() == ["list", *["watch"] * 6]
    setting.api.fail(5, verb="watch")
    for _ in range(6):
        setting.reflector.once()
    assert setting.verbs() == [*["watch"] * 5, "list", "watch"]


def test_a_healthy_quiet_server_proves_itself_with_every_watch() -> None:
    setting = Setting()
    setting.reflector.once()
    assert setting.clock.monotonic() == 25
    assert setting.reflector.age() == 0
    setting.clock.advance(7)
    assert setting.reflector.age() == 7


def test_age_grows_from_the_last_proof_while_the_server_is_away() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.fail(100)
    for _ in range(10):
        setting.clock.advance(3)
        setting.reflector.once()
    assert setting.reflector.age() == 30


def test_after_an_outage_a_short_watch_proves_that_the_backlog_is_over() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.fail(1)
    setting.reflector.once()
    setting.clock.advance(50)
    setting.api.put(DEPLOYMENTS, deployment("web"))
    before = setting.clock.monotonic()
    setting.reflector.once()
    assert setting.clock.monotonic() - before == 1
    assert (setting.reflector.age(), setting.names()) == (0, ["web"])


def test_a_backlog_that_breaks_off_proves_nothing() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.fail(1)
    setting.reflector.once()
    setting.clock.advance(50)
    setting.api.put(DEPLOYMENTS, deployment("web"))
    setting.api.break_watch(UnavailableError("broken line"))
    setting.reflector.once()
    assert (setting.reflector.age(), setting.names()) == (50, ["web"])


def test_a_line_of_a_running_watch_proves_its_moment() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.clock.advance(9)
    setting.api.put(DEPLOYMENTS, deployment("web"))
    setting.api.break_watch(UnavailableError("the server hangs"))
    setting.reflector.once()
    assert setting.reflector.age() == 0


def test_a_watch_that_ends_too_early_proves_nothing_and_is_not_repeated_at_once() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.clock.advance(5)
    impatient = FakeApi(setting.clock, watch_seconds=0, on_watch_end=lambda _: None)
    reflector = Reflector(impatient, WatchScope(DEPLOYMENTS), WatchTiming(monotonic=setting.clock.monotonic))
    assert reflector.once() == 1.0
    setting.clock.advance(5)
    assert reflector.once() == 1.0
    assert reflector.age() == 5


def test_an_object_that_no_one_thought_of_is_a_problem_not_the_end() -> None:
    setting = Setting()
    setting.reflector.once()
    setting.api.break_watch(None, Change("ADDED", {"metadata": {"name": "odd", "resourceVersion": "x"}}))
    assert setting.reflector.once() > 0
    assert "deployments of all namespaces: ValueError" in str(setting.reflector.problem)


def test_watches_only_objects_with_the_labels() -> None:
    setting = Setting(scope=WatchScope(CONFIG_MAPS, "default", "by=us"))
    setting.reflector.once()
    for name, by in (("ours", "us"), ("theirs", "them")):
        setting.api.put(CONFIG_MAPS, {"metadata": {"name": name, "namespace": "default", "labels": {"by": by}}})
    setting.reflector.once()
    assert setting.names() == ["ours"]
    setting.api.edit(CONFIG_MAPS, "default", "ours", {"metadata": {"labels": {"by": None}}})
    setting.reflector.once()
    assert setting.names() == []


def test_keeps_only_wanted_namespaces_and_lists_when_more_are_wanted() -> None:
    setting = Setting(frozenset({"default"}))
    setting.api.put(DEPLOYMENTS, deployment("there", namespace="other"))
    setting.reflector.once()
    setting.api.put(DEPLOYMENTS, deployment("late", namespace="other"))
    setting.reflector.once()
    assert setting.names("other") == []
    assert not setting.reflector.holds("other")
    setting.reflector.want(frozenset({"other"}))
    setting.reflector.want(frozenset({"other", "default"}))
    assert not setting.reflector.holds("default")
    setting.reflector.once()
    assert setting.names("other") == ["late", "there"]
    assert setting.verbs() == ["list", "watch", "watch", "list", "watch"]


@pytest.mark.parametrize("error", [UnavailableError("x"), ForbiddenError("x")])
def test_a_namespace_that_is_dropped_and_wanted_again_is_listed_again(error: KubeError) -> None:
    setting = Setting(frozenset({"default"}))
    setting.api.put(DEPLOYMENTS, deployment("web"))
    setting.reflector.once()
    setting.reflector.want(frozenset())
    setting.api.remove(DEPLOYMENTS, "default", "web")
    setting.reflector.once()
    setting.reflector.want(frozenset({"default"}))
    setting.api.fail(1, error, verb="list")
    setting.reflector.once()
    assert not setting.reflector.holds("default")
    setting.reflector.once()
    assert setting.reflector.holds("default")
    assert setting.names() == []
