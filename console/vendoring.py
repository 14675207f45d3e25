"""Front-end files that are not ours: which, from where, and whether what lies here is what npm has."""

import base64
import hashlib
import shutil
import subprocess
import tarfile
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

import click
import msgspec

from records import SettingsError

ROOT = Path(__file__).parents[1]
LISTED = ROOT / "console" / "vendor.toml"
PLACES: Mapping[str, Path] = {
    "page": ROOT / "console" / "static" / "vendor",
    "tests": ROOT / "tests" / "console" / "vendor",
}
FETCH_SECS = 120


class Package(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"purpose": "for"}, eq=False):
    """One npm package: its files by their path in it, each with its integrity as HTML writes it."""

    name: str
    version: str
    licence: str
    purpose: Literal["page", "tests"]
    files: dict[str, str]

    @property
    def folder(self) -> str:
        """The name of the folder that its files lie in."""
        return f"{self.name.replace('/', '-')}-{self.version}"

    def local(self, path: str) -> str:
        """Return where one of its files lies, below the folder for its purpose."""
        return f"{self.folder}/{path.removeprefix('dist/')}"


class Listed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of vendor.toml."""

    packages: tuple[Package, ...]


def read_packages(path: Path = LISTED) -> tuple[Package, ...]:
    """Return the packages listed.

    Errors  SettingsError when the list cannot be read
    """
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Listed).packages
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"{path}: {error}") from error


def page_files(packages: Iterable[Package]) -> dict[str, str]:
    """Return the path below static/ of each file for the page, and its integrity.

    Shape   {"vendor/leaflet-1.9.4/leaflet.js": "sha384-…"}, in the order of the list
    """
    return {
        f"vendor/{package.local(path)}": integrity
        for package in packages
        if package.purpose == "page"
        for path, integrity in package.files.items()
    }


def integrity_of(content: bytes) -> str:
    """Return the Subresource Integrity of a file.

    Source  https://www.w3.org/TR/SRI/
    """
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def faults(packages: Iterable[Package], places: Mapping[str, Path] = PLACES) -> list[str]:
    """Return what lies there otherwise than listed: missing, changed, or listed nowhere."""
    expected = {
        places[package.purpose] / package.local(path): integrity
        for package in packages
        for path, integrity in package.files.items()
    }
    found = {path for place in places.values() for path in place.rglob("*") if path.is_file()}
    missing = [f"{path}: is not there" for path in sorted(expected.keys() - found)]
    unlisted = [f"{path}: is not listed in vendor.toml" for path in sorted(found - expected.keys())]
    changed = [
        f"{path}: is not what vendor.toml lists"
        for path in sorted(found & expected.keys())
        if integrity_of(path.read_bytes()) != expected[path]
    ]
    return missing + unlisted + changed


def fetch(package: Package, scratch: Path) -> dict[str, bytes]:
    """Return the listed files of a package as npm has them now.

    Errors  SettingsError when npm has no such package, or the package no such file
    """
    npm = shutil.which("npm")
    if npm is None:
        raise SettingsError("npm: is not there; it comes with Node.js, and only this command needs it")
    spec = f"{package.name}@{package.version}"
    packed = subprocess.run(  # noqa: S603  names and versions are ours, from vendor.toml
        [npm, "pack", "--silent", "--pack-destination", str(scratch), spec],
        capture_output=True,
        text=True,
        timeout=FETCH_SECS,
        check=False,
    )
    if packed.returncode != 0:
        raise SettingsError(f"npm pack {spec}: {packed.stderr.strip() or 'failed'}")
    with tarfile.open(scratch / packed.stdout.strip()) as archive:
        return {path: _member(archive, spec, path) for path in package.files}


def _member(archive: tarfile.TarFile, spec: str, path: str) -> bytes:
    try:
        member = archive.extractfile(f"package/{path}")
    except KeyError:
        member = None
    if member is None:
        raise SettingsError(f"vendor.toml: {spec} has no file {path}")
    return member.read()


def refresh(fetched: Mapping[Package, Mapping[str, bytes]], listed: Path, places: Mapping[str, Path]) -> list[str]:
    """Lay the files down, remove what is listed no more, and write the integrities; return what changed."""
    text = listed.read_text(encoding="utf-8")
    changes = []
    for place in places.values():
        shutil.rmtree(place, ignore_errors=True)
    for package, contents in fetched.items():
        for path, content in contents.items():
            found = integrity_of(content)
            if found != package.files[path]:
                changes.append(f"{package.folder}: {path}")
                text = _with_integrity(text, package, path, found)
            target = places[package.purpose] / package.local(path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
    listed.write_text(text, encoding="utf-8")
    return changes


def _with_integrity(text: str, package: Package, path: str, found: str) -> str:
    start = text.index(f'name = "{package.name}"\n')
    before, line = f'"{path}" = "{package.files[path]}"', f'"{path}" = "{found}"'
    return text[:start] + text[start:].replace(before, line, 1)


def differing(fetched: Mapping[Package, Mapping[str, bytes]]) -> list[str]:
    """Return what npm has otherwise than listed."""
    return [
        f"{package.folder}: {path} is {integrity_of(content)}, listed is {package.files[path] or 'nothing'}"
        for package, contents in fetched.items()
        for path, content in contents.items()
        if integrity_of(content) != package.files[path]
    ]


@click.command(help="Fetch the front-end files of vendor.toml from npm, and lay them where the page finds them.")
@click.option("--renew", is_flag=True, help="Take what npm has now, and write its integrity into vendor.toml.")
def main(*, renew: bool) -> None:
    """Fetch every file before any is touched; without --renew a difference stops it."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            fetched = {package: fetch(package, Path(scratch)) for package in read_packages()}
        except SettingsError as error:
            raise click.ClickException(str(error)) from error
    different = differing(fetched)
    if different and not renew:
        raise click.ClickException("\n".join([*different, "nothing was changed; --renew takes what npm has now"]))
    for change in refresh(fetched, LISTED, PLACES):
        click.echo(f"renewed {change}")
    click.echo(f"{sum(map(len, fetched.values()))} files as listed")


if __name__ == "__main__":
    main()
