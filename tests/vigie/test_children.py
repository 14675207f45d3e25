"""Children: the processes that Vigie starts are asked how they are."""

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
