"""A small client of the API server for the lab's own parts and for tests; independent of the analyzer's gateway.

`LabReflector` keeps what a list and watch tell, in a thread: kubelet, traffic and the watcher of capacity use it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import yaml

Json = dict[str, Any]
TIMEOUT = (3.0, 10.0)
WATCH_SECONDS = 30
RETRY = 0.3

PATHS = {
    "deployments": "apis/apps/v1",
    "replicasets": "apis/apps/v1",
    "horizontalpodautoscalers": "apis/autoscaling/v2",
    "leases": "apis/coordination.k8s.io/v1",
    "roles": "apis/rbac.authorization.k8s.io/v1",
    "rolebindings": "apis/rbac.authorization.k8s.io/v1",
    "clusterroles": "apis/rbac.authorization.k8s.io/v1",
    "clusterrolebindings": "apis/rbac.authorization.k8s.io/v1",
}
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"


def path_of(kind: str, namespace: str | None = None, name: str | None = None) -> str:
    """The URL path of a resource, `kind` in its plural; core resources are the default."""
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"/{PATHS.get(kind, 'api/v1')}{scope}/{kind}" + (f"/{name}" if name else "")


@dataclass(frozen=True, slots=True)
class ApiError(Exception):
    """The API server refused."""

    status: int
    message: str

    def __str__(self) -> str:
        return f"{self.status}: {self.message}"


class LabApi:
    """Speaks to the API server as one user. Thread-safe as long as each thread has its own (`twin`)."""

    def __init__(self, server: str, token: str, authority: Path) -> None:
        self._server, self._token, self._authority = server, token, authority
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(authority)
        self._session.headers["Authorization"] = f"Bearer {token}"

    @classmethod
    def from_kubeconfig(cls, file: Path) -> LabApi:
        """The user of a kubeconfig that the lab wrote."""
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        cluster, user = content["clusters"][0]["cluster"], content["users"][0]["user"]
        return cls(cluster["server"], user["token"], Path(cluster["certificate-authority"]))

    def twin(self) -> LabApi:
        """The same user over connections of its own, for another thread."""
        return LabApi(self._server, self._token, self._authority)

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()

    def get(self, path: str, **query: str) -> Json:
        """Read an object or a list. Raises ApiError, requests.RequestException."""
        return self._ask("GET", path, query)

    def items(self, path: str, **query: str) -> list[Json]:
        """The items of a list."""
        items: list[Json] = self.get(path, **query)["items"]
        return items

    def create(self, path: str, body: Mapping[str, Any]) -> Json:
        """Make an object."""
        return self._ask("POST", path, {}, body)

    def patch(self, path: str, body: Any, content_type: str = MERGE) -> Json:
        """Change an object."""
        return self._ask("PATCH", path, {}, body, content_type)

    def delete(self, path: str, **options: Any) -> Json:
        """Delete an object; `options` go into DeleteOptions."""
        return self._ask("DELETE", path, {}, options)

    def answers(self, path: str = "/readyz") -> bool:
        """Does it answer with 200?"""
        with suppress(requests.RequestException):
            return bool(self._session.get(self._server + path, timeout=1.0).ok)
        return False

    def watch(self, path: str, version: str, **query: str) -> Iterator[Json]:
        """The events after `version`, until the server ends the watch. Raises as `get` does."""
        asked = {**query, "watch": "1", "resourceVersion": version, "timeoutSeconds": str(WATCH_SECONDS)}
        with self._session.get(
            self._server + path, params=asked, stream=True, timeout=(3.0, WATCH_SECONDS + 5.0)
        ) as answer:
            if not answer.ok:
                raise ApiError(answer.status_code, answer.text[:300])
            for line in answer.iter_lines(chunk_size=None):
                if line:
                    event: Json = json.loads(line)
                    if event["type"] == "ERROR":
                        raise ApiError(event["object"].get("code", 0), event["object"].get("message", ""))
                    yield event

    def _ask(
        self, method: str, path: str, query: Mapping[str, str], body: Any = None, kind: str = "application/json"
    ) -> Json:
        content = None if body is None else json.dumps(body)
        answer = self._session.request(
            method,
            self._server + path,
            params=query,
            data=content,
            headers={"Content-Type": kind} if content else {},
            timeout=TIMEOUT,
        )
        if not answer.ok:
            with suppress(ValueError):
                raise ApiError(answer.status_code, answer.json().get("message", ""))
            raise ApiError(answer.status_code, answer.text[:300])
        result: Json = answer.json()
        return result


class LabReflector:
    """Keeps the objects at `path` up to date in a thread, and calls `changed` after each event, in that thread.

    `objects` (uid -> object) is replaced, never changed, so that any thread may read it.
    """

    def __init__(self, api: LabApi, path: str, changed: Callable[[], None] = lambda: None, **query: str) -> None:
        self.objects: Mapping[str, Json] = {}
        self.synced = threading.Event()
        self._api, self._path, self._query, self._changed = api.twin(), path, query, changed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"reflector {path}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop caring; the thread ends by itself with its next event, and does not call `changed` any more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            # An API server that is away is what some tests are about: try again, for ever.
            with suppress(ApiError, requests.RequestException, ValueError, KeyError):
                self._follow()
            self._stopped.wait(RETRY)
        self._api.close()

    def _follow(self) -> None:
        listed = self._api.get(self._path, **self._query)
        self._take({item["metadata"]["uid"]: item for item in listed["items"]})
        self.synced.set()
        version = listed["metadata"]["resourceVersion"]
        while not self._stopped.is_set():
            for event in self._api.watch(self._path, version, **self._query):
                if self._stopped.is_set():
                    return
                item = event["object"]
                version = item["metadata"]["resourceVersion"]
                others = {uid: one for uid, one in self.objects.items() if uid != item["metadata"]["uid"]}
                self._take(others if event["type"] == "DELETED" else {**others, item["metadata"]["uid"]: item})

    def _take(self, objects: Mapping[str, Json]) -> None:
        self.objects = objects
        if not self._stopped.is_set():
            self._changed()
