"""Redirects: which addresses lead to the server that was asked, and which to another."""

import pytest

from connectors.redirects import is_same_server, shown

ASKED = "https://api.example/map"


@pytest.mark.parametrize(
    ("address", "target", "is_same"),
    [
        (ASKED, "https://api.example/other?x=1", True),
        (ASKED, "https://API.example/map", True),
        (ASKED, "http://api.example/map", False),
        (ASKED, "https://www.api.example/map", False),
        (ASKED, "https://api.example.evil.example/map", False),
        (ASKED, "https://api.example:8443/map", False),
        (ASKED, "https://api.example@evil.example/map", False),
        (ASKED, "https://key@api.example/map", False),
        (ASKED, "file://api.example/etc/passwd", False),
        ("http://api.example/map", "https://api.example/map", True),
        ("http://api.example:8080/map", "https://api.example:8080/map", False),
    ],
)
def test_a_server_is_known_by_its_scheme_name_and_port(address: str, target: str, is_same: bool) -> None:
    assert is_same_server(address, target) is is_same


def test_a_message_holds_no_query_and_no_end_of_an_address() -> None:
    assert shown("https://api.example/map?key=secret") == "https://api.example/map"
    assert len(shown("https://api.example/" + "x" * 10_000)) == 200
