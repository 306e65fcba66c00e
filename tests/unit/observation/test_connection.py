from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from analyzer.model.errors import ObservationError
from analyzer.observation import PasswordLogin, PrometheusConnection, TokenLogin
from analyzer.observation.response import read_series
from analyzer.sandbox.loopback import ANY_PORT, LOOPBACK
from tests.fakes.prometheus_http import Asked, FakePrometheus, Reply, failure, matrix, scalar, success, vector

ONE = vector(({"a": "b"}, (7.0, "1")))


@contextmanager
def answering(reply: Reply, timeout: float = 10.0) -> Iterator[tuple[FakePrometheus, PrometheusConnection]]:
    with FakePrometheus(lambda _: reply) as fake, closing(PrometheusConnection(fake.url, timeout)) as connection:
        yield fake, connection


def error_of(reply: Reply) -> str:
    with answering(reply) as (_, connection), pytest.raises(ObservationError) as refused:
        connection.instant("up")
    return str(refused.value)


def test_the_query_goes_into_the_body_and_not_into_the_address() -> None:
    with answering(ONE) as (fake, connection):
        (series,) = connection.instant("x" * 100_000, at=7.0004)
    assert series.labels == {"a": "b"}
    assert series.samples == ((7.0, 1.0),)
    (asked,) = fake.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/query")
    assert asked.form["time"] == "7.000"
    assert asked.form["partial_response"] == "false"


def test_a_long_range_is_asked_for_in_parts_that_meet() -> None:
    with answering(matrix()) as (fake, connection):
        connection.range("x", start=0.0, end=25_000.0, step=1.0)
    assert [(asked.form["start"], asked.form["end"]) for asked in fake.asked] == [
        ("0.000", "10999.000"),
        ("11000.000", "21999.000"),
        ("22000.000", "25000.000"),
    ]


def test_numbers_are_read_as_prometheus_writes_them() -> None:
    values = [(1.5, "NaN"), (2.5, "+Inf"), (3.5, "-Inf"), (4.5, "1e3")]
    with answering(matrix(({}, values))) as (_, connection):
        (series,) = connection.range("x", 1.5, 4.5, 1.0)
    assert str([value for _, value in series.samples]) == "[nan, inf, -inf, 1000.0]"


def test_server_time_is_prometheus_own() -> None:
    with answering(scalar(1_700_000_000.25)) as (fake, connection):
        assert connection.server_time() == 1_700_000_000.25
    assert fake.queries == ["time()"]


def test_a_server_that_does_not_tell_its_time_is_an_error() -> None:
    with (
        answering(vector()) as (_, connection),
        pytest.raises(ObservationError, match="expected its time as the answer"),
    ):
        connection.server_time()


def test_the_version_is_told() -> None:
    with answering(success({"version": "2.42.0"})) as (_, connection):
        assert connection.version() == "2.42.0"


def test_a_refused_query_says_what_prometheus_said() -> None:
    told = error_of(failure("bad_data", "1:5: parse error: unexpected end", 400))
    assert "bad_data" in told
    assert "1:5: parse error: unexpected end" in told


@pytest.mark.parametrize(("status", "kind"), [(422, "execution"), (503, "unavailable"), (503, "timeout")])
def test_other_errors_of_prometheus_keep_their_message(status: int, kind: str) -> None:
    assert "too many samples" in error_of(failure(kind, "too many samples", status))


def test_a_failed_query_is_not_tried_again_behind_the_callers_back() -> None:
    with answering(failure("unavailable", "starting", 503)) as (fake, connection):
        with pytest.raises(ObservationError):
            connection.instant("up")
        assert len(fake.asked) == 1


def test_an_answer_with_warnings_is_partial_and_not_used() -> None:
    told = error_of(success({"resultType": "vector", "result": []}, warnings=["store a is down"]))
    assert told.startswith("response not used")
    assert "store a is down" in told


def test_infos_are_no_reason_to_refuse() -> None:
    with answering(success({"resultType": "vector", "result": []}, infos=["not a counter"])) as (_, connection):
        assert connection.instant("x") == ()


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        (Reply(b"<!DOCTYPE html><p>Sign in", content_type="text/html"), "check that prometheus.url"),
        (Reply(b"Bad Gateway", status=502, content_type="text/plain"), "HTTP 502"),
        (Reply(b"nope", status=401, content_type="text/plain"), "refused the credentials (HTTP 401)"),
        (Reply(b"[]"), "expected JSON from Prometheus"),
        (Reply(b'{"status":"success","da'), "expected JSON from Prometheus"),
        (Reply(b'{"status":"success","data":{}}'), "unexpected response from Prometheus"),
        (
            success({"resultType": "vector", "result": [{"metric": {}, "value": [1, "x"]}]}),
            "unexpected response from Prometheus",
        ),
        (success({"resultType": "string", "result": [1, "x"]}), "result of type 'string'"),
        (Reply(b'{"status":', announced=500), "closed before the response was complete"),
        (Reply(b"", status=301, headers={"Location": "https://me:secret@prom.example/x"}), "https://prom.example/x"),
    ],
)
def test_what_is_not_an_answer_of_prometheus_is_an_error_with_a_way_out(reply: Reply, told: str) -> None:
    found = error_of(reply)
    assert told in found
    assert "secret" not in found


def test_a_hanging_prometheus_is_given_up_after_the_timeout() -> None:
    release = threading.Event()
    with answering(Reply(b"", until=release), timeout=0.2) as (_, connection):
        with pytest.raises(ObservationError, match=r"no complete response within 200 ms"):
            connection.instant("up")
        release.set()


def test_an_answer_that_stops_in_the_middle_is_given_up_after_the_timeout() -> None:
    with socket.create_server(ANY_PORT) as server:
        url = f"http://{LOOPBACK}:{server.getsockname()[1]}"
        with closing(PrometheusConnection(url, timeout=0.2)) as connection:
            sent = threading.Thread(target=lambda: held.append(server.accept()[0]))
            held: list[socket.socket] = []
            sent.start()
            answer = threading.Timer(0.05, lambda: held[0].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"))
            answer.start()
            with pytest.raises(ObservationError, match=r"no complete response within 200 ms"):
                connection.instant("up")
            sent.join()
            answer.join()
            held[0].close()


@pytest.mark.parametrize("encoding", ["Content-Length: 100000", "Transfer-Encoding: chunked"])
def test_an_answer_that_trickles_in_is_given_up_after_the_timeout(encoding: str) -> None:
    over = threading.Event()

    def trickle(server: socket.socket) -> None:
        with server.accept()[0] as client:
            client.recv(65_536)
            client.sendall(f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{encoding}\r\n\r\n".encode())
            while not over.wait(0.02):
                client.sendall(b" " if "Length" in encoding else b"1\r\n \r\n")

    with socket.create_server(ANY_PORT) as server:
        thread = threading.Thread(target=trickle, args=(server,))
        thread.start()
        url = f"http://{LOOPBACK}:{server.getsockname()[1]}"
        begun = time.monotonic()
        with closing(PrometheusConnection(url, timeout=0.2)) as connection:
            with pytest.raises(ObservationError, match=r"no complete response within 200 ms"):
                connection.instant("up")
            assert time.monotonic() - begun < 2
            over.set()
        thread.join()


def test_a_prometheus_that_is_not_there_is_named_without_its_password() -> None:
    with socket.socket() as closed:
        closed.bind(ANY_PORT)
        address = f"{LOOPBACK}:{closed.getsockname()[1]}"
    with (
        closing(PrometheusConnection(f"http://me:hunter2@{address}/prom/")) as connection,
        pytest.raises(ObservationError) as refused,
    ):
        connection.instant("up")
    assert str(refused.value) == (
        f"request to Prometheus http://{address}/prom failed: connection refused; "
        "check that it runs and listens on this port"
    )


def test_user_and_password_of_the_address_log_in() -> None:
    with FakePrometheus(lambda _: ONE) as fake:
        with closing(PrometheusConnection(f"http://me:hunter%2F2@{fake.address}/prom")) as connection:
            connection.instant("up")
        assert fake.asked[0].headers["Authorization"] == "Basic bWU6aHVudGVyLzI="
        assert fake.asked[0].path == "/prom/api/v1/query"


def test_a_rotated_token_is_read_again_for_each_request() -> None:
    tokens = iter(["first\n", "second\n"])
    with (
        FakePrometheus(lambda _: ONE) as fake,
        closing(
            PrometheusConnection(fake.url, headers={"X-Scope": "a"}, auth=TokenLogin("Bearer", lambda: next(tokens)))
        ) as connection,
    ):
        connection.instant("up")
        connection.instant("up")
    assert [asked.headers["Authorization"] for asked in fake.asked] == ["Bearer first", "Bearer second"]
    assert {asked.headers["X-Scope"] for asked in fake.asked} == {"a"}


@pytest.mark.parametrize("secret", ["", "two\nlines", "naïve"])
def test_a_secret_that_can_not_be_sent_is_an_error_that_does_not_show_it(secret: str) -> None:
    with (
        FakePrometheus(lambda _: ONE) as fake,
        closing(PrometheusConnection(fake.url, auth=PasswordLogin("me", lambda: secret))) as connection,
        pytest.raises(ObservationError, match="secret for Prometheus") as refused,
    ):
        connection.instant("up")
    assert not secret or secret not in str(refused.value)


def test_a_missing_secret_file_is_an_error_that_names_it() -> None:
    def read() -> str:
        raise FileNotFoundError(2, "No such file or directory", "/etc/token")

    with (
        FakePrometheus(lambda _: ONE) as fake,
        closing(PrometheusConnection(fake.url, auth=TokenLogin("Bearer", read))) as connection,
        pytest.raises(ObservationError, match="/etc/token"),
    ):
        connection.instant("up")


def test_several_threads_may_ask_at_once() -> None:
    barrier = threading.Barrier(3, timeout=5)

    def together(_: Asked) -> Reply:
        barrier.wait()
        return ONE

    with FakePrometheus(together) as fake, closing(PrometheusConnection(fake.url)) as connection:
        found: list[int] = []
        threads = [threading.Thread(target=lambda: found.append(len(connection.instant("up")))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [1, 1, 1]


@pytest.mark.parametrize(
    "data",
    [
        {"resultType": "matrix", "result": {"a": 1}},
        {"resultType": "vector", "result": None},
        {"resultType": "vector", "result": "text"},
        {"resultType": "vector", "result": [{"metric": None, "value": [1, "2"]}]},
    ],
)
def test_an_answer_in_another_form_is_refused(data: object) -> None:
    with pytest.raises(ObservationError, match="unexpected response from Prometheus"):
        read_series(data)
