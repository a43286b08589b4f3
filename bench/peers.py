"""De-identification beside its peers: `python -m bench.peers`, by hand, for it takes minutes.

One set of CT slices with planted identifiers, each program over the same folder, one process each:
the seconds that one file takes, which is mostly the program's start, and files a second for the
others; medians of some rounds. Peers in Python are installed into an environment of
their own in a temporary folder; one that cannot be had is left out with a sentence.
"""

from __future__ import annotations

import argparse
import atexit
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench.planted import PlantedSet, look, plant, read

ROOT = Path(__file__).resolve().parents[1]
_PORT = 18044
_OPENMED = """
import sys, pathlib
from openmed.multimodal.dicom import deidentify_dicom_headers
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.dcm")):
    out = pathlib.Path(sys.argv[2]) / path.name
    deidentify_dicom_headers(path, policy={"output_path": str(out)})
"""
# By name of the package: how it takes a folder.
PYTHON_PEERS: dict[str, list[str]] = {
    "dicom-anonymizer": ["-m", "dicomanonymizer.anonymizer"],
    "dicognito": ["-m", "dicognito", "--quiet", "-o"],
    "openmed": ["-c", _OPENMED],
}
# Its own list of extras would bring models for text.
PACKAGES = {"openmed": ["openmed", "pydicom", "numpy"]}
Work = Callable[[Path, Path], None]


class NotToBeHad(Exception):
    """A peer that is not installed and cannot be."""


def _run(command: list[str], **more: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    # 3: we put something aside, which the count of outputs shows.
    if done.returncode not in {0, 3}:
        raise NotToBeHad(f"it ended with {done.returncode}: {done.stderr.strip()[-200:]}")


def ours(source: Path, target: Path) -> None:
    target.rmdir()
    command = [sys.executable, str(ROOT / "manage.py"), "deidentify", str(source), str(target)]
    _run([*command, "--jobs", "1"])


def python_peer(name: str, folder: Path) -> Work:
    """Install one of the peers. Raises `NotToBeHad`."""
    python = folder / name / "bin" / "python"
    _run([sys.executable, "-m", "venv", str(folder / name)])
    try:
        _run([str(python), "-m", "pip", "install", "-q", *PACKAGES.get(name, [name])])
    except NotToBeHad:
        raise NotToBeHad("it cannot be installed from the registry") from None

    def work(source: Path, target: Path) -> None:
        places = [str(source), str(target)]
        if name == "dicognito":
            places.reverse()
        _run([str(python), *PYTHON_PEERS[name], *places])

    return work


def gdcmanon(folder: Path) -> Work:
    if shutil.which("gdcmanon") is None or shutil.which("openssl") is None:
        raise NotToBeHad("install Debian's packages libgdcm-tools and openssl to have it")
    certificate = folder / "certificate.pem"
    subject = ["-subj", "/CN=bench", "-keyout", str(folder / "key.pem"), "-out", str(certificate)]
    _run(["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", *subject])

    def work(source: Path, target: Path) -> None:
        places = ["-i", str(source), "-o", str(target)]
        _run(["gdcmanon", "-r", "-e", "-c", str(certificate), *places])

    return work


def _call(path: str, body: bytes | None = None, method: str | None = None) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{_PORT}{path}", body, method=method)
    with urllib.request.urlopen(request, timeout=300) as answer:
        content: bytes = answer.read()
    return content


def _start_orthanc(folder: Path) -> None:
    settings = {
        "StorageDirectory": str(folder / "db"), "IndexDirectory": str(folder / "db"),
        "HttpPort": _PORT, "DicomServerEnabled": False, "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    process = subprocess.Popen(
        ["Orthanc", str(folder / "orthanc.json")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    atexit.register(process.wait)
    atexit.register(process.terminate)  # the last to be registered is the first to be called
    for _ in range(100):
        try:
            _call("/system")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise NotToBeHad("it does not answer")


def orthanc(folder: Path) -> Work:
    """Its time is that of sending, making anonymous and fetching; the server runs already."""
    if shutil.which("Orthanc") is None:
        raise NotToBeHad("install Debian's package orthanc to have it")
    _start_orthanc(folder)

    def work(source: Path, target: Path) -> None:
        for path in sorted(source.glob("*.dcm")):
            _call("/instances", path.read_bytes())
        for study in json.loads(_call("/studies")):
            made = json.loads(_call(f"/studies/{study}/anonymize", b'{"Force": true}'))
            for one in json.loads(_call(f"{made['Path']}/instances")):
                file = _call(f"/instances/{one['ID']}/file")
                (target / f"{one['ID']}.dcm").write_bytes(file)
        for study in json.loads(_call("/studies")):
            _call(f"/studies/{study}", method="DELETE")

    return work


def _seconds(work: Work, source: Path, folder: Path, rounds: int) -> float:
    seconds = []
    for number in range(rounds):
        target = folder / f"out-{source.name}-{number}"
        target.mkdir()
        began = time.perf_counter()
        work(source, target)
        seconds.append(time.perf_counter() - began)
    return median(seconds)


def measure(name: str, work: Work, planted: PlantedSet, folder: Path, rounds: int) -> None:
    one = folder / "one"
    one.mkdir()
    first = min(planted.folder.glob("*.dcm"))
    shutil.copy(first, one / first.name)
    start = _seconds(work, one, folder, rounds)
    whole = _seconds(work, planted.folder, folder, rounds)
    found = look(planted, folder / f"out-{planted.folder.name}-0")
    rate = (planted.files - 1) / max(1e-9, whole - start)
    print(
        f"{name:18} {start:7.2f} {rate:8.1f} {found.files:8} "
        f"{found.left:8} of {len(planted.needles):5} {found.links:7}/{found.broken:<5} "
        f"{found.patients:8}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", type=Path, help="a folder with ct/ and planted.json")
    parser.add_argument("--patients", type=int, default=4)
    parser.add_argument("--slices", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    options = parser.parse_args()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"Seed {options.seed}; load of the machine {load} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        if options.set:
            planted = read(options.set)
        else:
            (folder / "in").mkdir()
            sizes = {"patients": options.patients, "slices": options.slices}
            planted = plant(folder / "in", **sizes, seed=options.seed)
        print(f"{planted.files} CT slices; references: that hold / that lead nowhere")
        print(
            f"{'':18} {'one, s':>7} {'files/s':>8} {'outputs':>8} {'left':>8}    {'':5} "
            f"{'references':>13} {'patients':>8}"
        )
        peers: dict[str, Callable[[Path], Work]] = {"Collimate": lambda _: ours}
        for name in PYTHON_PEERS:
            peers[name] = lambda folder, name=name: python_peer(name, folder)  # type: ignore[misc]
        peers |= {"gdcmanon": gdcmanon, "Orthanc": orthanc}
        for name, prepare in peers.items():
            place = folder / f"of-{name}"
            place.mkdir()
            try:
                measure(name, prepare(place), planted, place, options.rounds)
            except (NotToBeHad, OSError) as reason:
                print(f"{name:18} left out: {reason}")


if __name__ == "__main__":
    main()
