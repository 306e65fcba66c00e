"""The log receiver writes what a person needs to know."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from analyzer.alerting.log import LogSink
from analyzer.model.alert import Severity
from tests.unit.alerting.sample_alerts import an_alert


@pytest.mark.parametrize(
    ("severity", "level"), [(Severity.INFO, "info"), (Severity.WARNING, "warning"), (Severity.CRITICAL, "error")]
)
def test_writes_an_alert_at_the_level_of_its_severity(severity: Severity, level: str) -> None:
    with capture_logs() as logs:
        LogSink("log").deliver(an_alert(severity=severity))

    [line] = logs
    assert (line["event"], line["log_level"]) == ("alert", level)
    assert (line["id"], line["kind"], line["target"]) == ("default/r-1/aborted", "aborted", "my-app")
    assert line["summary"] == "my-app aborted: errors 12.1 % against 4.0 %"
    assert line["details"] == {"culprit": "errors", "ratio": 3.0}
