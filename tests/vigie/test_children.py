"""Children: the processes that Vigie starts are asked how they are."""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from vigie.children import Child


class _Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ready": true}')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's own name
        pass


def test_a_process_of_this_machine_is_asked_without_the_proxy_for_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with HTTPServer(("127.0.0.1", 0), _Healthy) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        child = Child("worker", ["worker"], environ={}, health_port=server.server_port)
        try:
            assert child.health() == {"ready": True}
            assert child.metrics() == '{"ready": true}'
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("told", "health"),
    [
        pytest.param(b'HTTP/1.0 503 Service Unavailable\r\n\r\n{"wrong": "late"}', {"wrong": "late"}, id="not well"),
        pytest.param(b"", None, id="nothing"),
        pytest.param(b"HT", None, id="half a line"),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\n", None, id="no body"),
        pytest.param(b'HTTP/1.0 200 OK\r\nContent-Length: 15\r\n\r\n{"rea', None, id="half a body"),
        pytest.param(
            b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 15\r\n\r\n{", None, id="half of the bad news"
        ),
        pytest.param(b"HTTP/1.0 502 Bad Gateway\r\n\r\n<html>", None, id="another program"),
    ],
)
def test_whoever_is_killed_in_the_middle_of_an_answer_has_not_answered(told: bytes, health: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(told)

        Thread(target=answer, daemon=True).start()
        child = Child("worker", ["worker"], environ={}, health_port=server.getsockname()[1])
        assert child.health() == health
