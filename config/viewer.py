"""Build the viewer: `python -m config.viewer` turns OHIF's npm package into files we can serve.

The package is fetched by npm from whatever registry npm is set to, checked against the hash below,
and changed in three places so that it lives under a path, talks to this portal alone and runs
under a strict Content-Security-Policy. Each change asserts that it hit, so that another layout of
the package stops the build. A second call finds its stamp and does nothing, without a network.
"""

from __future__ import annotations

import base64
import fcntl
import gzip
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Final

import brotli

PACKAGE: Final = "@ohif/app"
VERSION: Final = "3.13.2"
INTEGRITY: Final = (
    "sha512-WZdxmpmG7rqFgW9ZJLcbgr3XCtLi1KDNPoMaeY5PPe6j4G4fjEjjkycZM6C6Zk2F87BKxFfpq"
    "+jd5xXZB9E8EA=="
)
MOUNT: Final = "/viewer/"

ROOT: Final = Path(__file__).resolve().parent.parent
# Shared by all state folders: nothing in it is about anybody.
FOLDER: Final = ROOT / "var" / "viewer"
_DOWNLOADS: Final = ROOT / "var" / "downloads"
_SOURCES: Final = Path(__file__).with_name("viewer_assets")
_OURS: Final = ("boot.js", "app-config.js", "portal.css")

# Left out: source maps, AI models, the whole-slide viewer, and whatever names a foreign host.
_DROPPED: Final = re.compile(
    r"\.map$|^ort/|^dicom-microscopy-viewer/|^customizations/|^sw\.js$|^init-service-worker\.js$"
    r"|^google\.js$|^silent-refresh\.html$|^oidc-client|^es6-shim|^polyfill\.min|^_redirects$"
    r"|^_headers$|^serve\.json$|startup-image|^app-config\.js$|^manifest\.json$|^index\.html$"
)
_NDARRAY: Final = re.compile(
    r"function compileConstructor\(dtype, dimension\) \{.*?(?=\n[ \t]*function arrayDType\(data\))",
    re.DOTALL,
)
_COMPRESSED: Final = {".js", ".css", ".wasm", ".svg", ".json"}
_SMALLEST: Final = 1400


class CannotBuild(Exception):
    """Raised with one sentence that says what is missing or wrong."""


def release() -> str:
    """Name this build by all that goes into it: the package's hash, this script, our files."""
    digest = hashlib.sha256(INTEGRITY.encode())
    for path in [Path(__file__), *sorted(_SOURCES.iterdir())]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def assets_path(name: str) -> str:
    """Return the path under which one release's files are served, for ever the same bytes."""
    return f"{MOUNT}{name}/"


def is_built() -> bool:
    stamp = FOLDER / "release"
    return stamp.is_file() and stamp.read_text() == release()


def build(tell: Callable[[str], None] = print) -> None:
    """Make the viewer's files unless they are there. Raises `CannotBuild`."""
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    with FOLDER.with_name("viewer.lock").open("w") as lock:
        # Two who begin at once would write into each other's files: the second waits, and is done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_built():
            tell("The viewer is there.")
        else:
            _build(tell)


def _build(tell: Callable[[str], None]) -> None:
    began = time.monotonic()
    name = release()
    archive = _archive(tell)
    fresh = FOLDER.with_name("viewer.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    tell("Unpacking and fitting the viewer ...")
    _unpack(archive, fresh)
    _fit(fresh, assets_path(name))
    _add_ours(fresh, assets_path(name))
    tell("Compressing it ...")
    _compress(fresh)
    (fresh / "release").write_text(name)
    shutil.rmtree(FOLDER, ignore_errors=True)
    fresh.rename(FOLDER)
    tell(f"The viewer is built ({time.monotonic() - began:.0f} s).")


# The package -------------------------------------------------------------------------------------
def _archive(tell: Callable[[str], None]) -> Path:
    """Return the package's tarball, fetched once and checked each time."""
    path = _DOWNLOADS / f"ohif-app-{VERSION}.tgz"
    if not path.is_file():
        _DOWNLOADS.mkdir(parents=True, exist_ok=True)
        tell(f"Fetching {PACKAGE} {VERSION} (50 MB) ...")
        _run([_npm(tell), "pack", f"{PACKAGE}@{VERSION}", "--pack-destination", str(_DOWNLOADS)])
    found = "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()
    if found != INTEGRITY:
        path.unlink()
        raise CannotBuild(f"{PACKAGE} {VERSION} is not the package we know. It was thrown away.")
    return path


def _npm(tell: Callable[[str], None]) -> str:
    """Find npm: the system's, else this environment's, put there from locked wheels."""
    beside = Path(sys.executable).with_name("npm")
    for found in (shutil.which("npm"), str(beside) if beside.exists() else None):
        if found:
            return found
    tell("Fetching Node.js ...")
    locked = ROOT / "requirements" / "node.txt"
    _run([sys.executable, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(locked)])
    return str(beside)


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    except OSError as error:
        raise CannotBuild(f"{command[0]} does not start: {error}.") from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-3:]
        raise CannotBuild(f"{' '.join(command[:2])} failed: {' '.join(last)}")


def _unpack(archive: Path, out: Path) -> None:
    with tarfile.open(archive) as package:
        for member in package:
            name = member.name.removeprefix("package/")
            if not member.isfile() or ".." in PurePosixPath(name).parts:
                continue
            if name == "LICENSE":
                name = "dist/LICENSE.txt"
            if not name.startswith("dist/") or _DROPPED.search(name.removeprefix("dist/")):
                continue
            target = out / name.removeprefix("dist/")
            target.parent.mkdir(parents=True, exist_ok=True)
            content = package.extractfile(member)
            assert content is not None
            target.write_bytes(content.read())


# Fitting it --------------------------------------------------------------------------------------
def _fit(out: Path, assets: str) -> None:
    """Move the bundler's public path, and replace the code that is compiled from text."""
    ndarray = (_SOURCES / "ndarray.js").read_text(encoding="utf-8")
    moved = replaced = 0
    for path in out.glob("*.js"):
        before = path.read_text(encoding="utf-8")
        text = before.replace('__webpack_require__.p = "/"', f'__webpack_require__.p = "{assets}"')
        moved += text != before
        text, count = _NDARRAY.subn(lambda _: ndarray, text)
        replaced += count
        if text != before:
            path.write_text(text, encoding="utf-8")
    if not moved or not replaced:
        raise CannotBuild("The package is laid out in another way than this script knows.")
    for path in out.glob("*.css"):
        text = path.read_text(encoding="utf-8")
        path.write_text(re.sub(r"url\(([\"']?)/(?!/)", rf"url(\g<1>{assets}", text), "utf-8")


def _add_ours(out: Path, assets: str) -> None:
    """Write our own page, settings and glue: no inline script, no foreign address."""
    bundles = [path.name for path in out.glob("app.bundle.*.js")]
    if len(bundles) != 1:
        raise CannotBuild("The package has not one main bundle but several, or none.")
    words = {"@@MOUNT@@": MOUNT, "@@ASSETS@@": assets, "@@APP@@": bundles[0]}
    for name in (*_OURS, "index.html"):
        text = (_SOURCES / name).read_text(encoding="utf-8")
        for word, value in words.items():
            text = text.replace(word, value)
        (out / name).write_text(text, encoding="utf-8")


def _compress(out: Path) -> None:
    wanted = [
        path
        for path in out.rglob("*")
        if path.suffix in _COMPRESSED and path.stat().st_size > _SMALLEST
    ]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(_compress_one, wanted))


def _compress_one(path: Path) -> None:
    data = path.read_bytes()
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(data, 6, mtime=0))
    path.with_name(path.name + ".br").write_bytes(brotli.compress(data, quality=9))


if __name__ == "__main__":
    try:
        build()
    except CannotBuild as reason:
        sys.exit(str(reason))
