"""Sets the log up, once, at the start of the program: one chain for our own events and other libraries' records."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TextIO

import structlog
from structlog.typing import Processor

from analyzer.telemetry.redaction import redact

_OWN = "analyzer"
_ON_EVERY_RECORD: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


class _LogHandler(logging.StreamHandler[TextIO]):
    """Our own handler: its class tells it from handlers that others have installed, which stay."""


def configure(
    stream: TextIO,
    level: int = logging.INFO,
    *,
    json: bool | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Log to `stream`, and nowhere else: JSON lines, or aligned text for people; may be called again.

    `json` None means JSON unless the stream is a terminal. Colours only on a terminal without NO_COLOR. `level` is
    that of our own events; other libraries are heard from WARNING on, because below that they log whole requests.
    """
    terminal = stream.isatty()
    as_json = not terminal if json is None else json
    colours = terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_ON_EVERY_RECORD,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    handler = _LogHandler(stream)
    handler.setFormatter(_formatter(_json_renderer() if as_json else _text_renderer(colours=colours)))
    root = logging.getLogger()
    for former in [each for each in root.handlers if isinstance(each, _LogHandler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger(_OWN).setLevel(level)
    logging.captureWarnings(capture=True)


def _formatter(renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_ON_EVERY_RECORD,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,  # into text here, so that redaction sees it
            redact,
            renderer,
        ],
    )


def _json_renderer() -> Processor:
    return structlog.processors.JSONRenderer()


def _text_renderer(*, colours: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=colours, exception_formatter=structlog.dev.plain_traceback, pad_event_to=20
    )
