"""No file of deploy/ holds a secret, or what looks like one."""

import math
import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KNOWN_SHAPES = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bxox[abp]-\w+"
    r"|whsec_[A-Za-z0-9+/=]{8,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.|://[^\s/:@$]+:[^\s/@$]+@"
)
# What is given a value by a file's name, by another program's output or not at all is no secret; `password: x` is.
LITERAL = re.compile(
    r"(?i)(?<![\w.-])\w*(?:password|passwd|secret|token|api_?key)[\"']?\s*[:=]\s*[\"']?(?!/|\$|\[|\{|\./|\s|$|\")([^\s\"'#,;]+)"
)
HARMLESS = ("true", "false", "none")
TOKEN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
LEAST_BITS = 4.2  # a letter: words and paths have fewer, random base64 of this length more


def files_of(folder: str) -> list[str]:
    listed = subprocess.run(  # noqa: S603
        ["git", "ls-files", "-z", folder],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [name.decode() for name in listed.stdout.split(b"\0") if name]


def bits(token: str) -> float:
    """Return how much a letter of it says, in bits."""
    return -sum(n / len(token) * math.log2(n / len(token)) for n in Counter(token).values())


def is_random(token: str) -> bool:
    mixed = re.search(r"\d", token) and re.search(r"[a-z]", token) and re.search(r"[A-Z]", token)
    hexes = re.fullmatch(r"[0-9a-f]{32,}", token)
    return bool((mixed and bits(token) > LEAST_BITS) or hexes)


def suspicious(text: str) -> list[str]:
    found = [match[0] for match in KNOWN_SHAPES.finditer(text)]
    found += [match[0] for match in LITERAL.finditer(text) if match[1].lower() not in HARMLESS]
    return found + [token for token in TOKEN.findall(text) if is_random(token) and "sha256:" + token not in text]


@pytest.mark.parametrize(
    "line",
    [
        "-----BEGIN EC PRIVATE KEY-----",
        "POSTGRES_PASSWORD: vigie",
        'password = "correct horse"',
        "url: https://vigie:hunter2@mail.example",
        "secret: whsec_c3Vydml2YWxjM1Z5ZG1sMllXdw==",
        "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b",
        "x = Qm9uam91ciBsZSBtb25kZSwgYydlc3QgdW4gc2VjcmV0",
    ],
)
def test_what_is_a_secret_is_found(line: str) -> None:
    assert suspicious(line)


def test_no_file_of_deploy_holds_one() -> None:
    names = files_of("deploy")
    assert len(names) > 20
    found = {name: suspicious((ROOT / name).read_text(encoding="utf-8")) for name in names}
    assert {name: lines for name, lines in found.items() if lines} == {}
