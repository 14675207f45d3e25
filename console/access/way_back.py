"""Way back: where somebody goes on after he logged in or changed the language; only ever to a page of ours."""

from urllib.parse import urlsplit

LONGEST = 2048


def way_back(given: str) -> str:
    """Return an address of ours as it was given, the first page for any other.

    Source  WHATWG URL: browsers take a backslash for a slash, and drop tabs and line ends
    """
    is_plain = given.isprintable() and "\\" not in given and len(given) <= LONGEST
    if not is_plain or not given.startswith("/") or given.startswith("//"):
        return "/"
    parts = urlsplit(given)
    return "/" if parts.scheme or parts.netloc else given
