"""/livez, /readyz and /metrics: what a kubelet and a Prometheus ask of the daemon. `bootstrap` starts it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from analyzer.web.checks import CHECK_SECONDS, SharedCheck
from analyzer.web.server import HttpServer


@dataclass(frozen=True, slots=True)
class Health:
    """What is wrong now, one sentence each: `hanging` needs a restart, `unready` needs time."""

    hanging: Callable[[], tuple[str, ...]]
    unready: Callable[[], tuple[str, ...]]


class ProbeServer(HttpServer):
    """Answers a kubelet and a Prometheus until `stop`."""

    def __init__(self, address: tuple[str, int], health: Health, registry: CollectorRegistry) -> None:
        """Raises ConfigError when the address cannot be used."""
        application = Starlette(
            routes=_probes(health, registry),
            exception_handlers={HTTPException: _refused, TimeoutError: _blocked},
        )
        application.router.redirect_slashes = False
        super().__init__(address, application)


def _probes(health: Health, registry: CollectorRegistry) -> tuple[Route, ...]:
    hanging, unready = SharedCheck(health.hanging), SharedCheck(health.unready)
    metrics = SharedCheck(lambda: generate_latest(registry))

    async def livez(_request: Request) -> Response:
        return _verdict(await hanging.result())

    async def readyz(_request: Request) -> Response:
        return _verdict(await unready.result())

    async def shown(_request: Request) -> Response:
        return Response(await metrics.result(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", shown)


def _verdict(wrong: tuple[str, ...]) -> Response:
    return PlainTextResponse("".join(f"{one}\n" for one in wrong), 503) if wrong else PlainTextResponse("ok\n")


async def _refused(request: Request, _error: Exception) -> Response:
    if request.method not in {"GET", "HEAD"}:
        return PlainTextResponse(f"expected GET or HEAD, found {request.method}\n", 501)
    return PlainTextResponse("expected /livez, /readyz or /metrics\n", 404)


async def _blocked(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(f"the check did not end within {CHECK_SECONDS:.0f}s\n", 503)
