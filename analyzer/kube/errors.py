"""What the API server, or the way to it, can answer instead of what was asked for."""

from __future__ import annotations

from analyzer.model.errors import AnalyzerError


class KubeError(AnalyzerError):
    """A request to the API server failed. The text names verb, object and what the server said."""


class ClusterSettingsError(KubeError):
    """Nothing says how to reach a cluster, or what says so cannot be used: kubeconfig, context, service account."""


class NotFoundError(KubeError):
    """404: there is no such object."""


class PreconditionError(KubeError):
    """409, or 422 for a patch: the object is not what the request expected it to be, or it exists already."""


class ForbiddenError(KubeError):
    """401 or 403: this identity may not do that. The text names the missing rule."""


class RejectedError(KubeError):
    """Another 4xx, or 422 for an invalid object: the server understood the request and will refuse it again."""


class UnavailableError(KubeError):
    """No usable answer: connection, time-out, 429, 5xx, or a body that cannot be read. Trying again may help.

    A write may have happened all the same. `retry_after` is the pause in seconds that the server asked for.
    """

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class ExpiredError(KubeError):
    """410: the resourceVersion is too old to watch from; list again."""


class StaleError(KubeError):
    """The cache was not confirmed by the API server for longer than its bound: nothing is decided on it."""
