"""Collimate beside Orthanc, in one run on one machine: `make bench`.

With consent check, audit event and encryption on, against Orthanc with none of them. Printed are
ratios of time (ours to Orthanc's); a goal that was not reached is printed as not reached.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing as mp
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.client import (
    FRAMES,
    JSON,
    OBJECTS,
    Request,
    Server,
    get,
    measure,
    store,
    store_streamed,
    stored,
)
from bench.objects import TOKEN, Named, ct_slices, endless_frames, listed_studies, many_frames

ROOT = Path(__file__).resolve().parent.parent
BATCH = 60
ORTHANC_PORT, OUR_PORT = 18042, 18043
_tokens = iter(range(7_100_000_000 + int(time.time()) % 800_000_000, 8_000_000_000))


def new_token() -> bytes:
    return str(next(_tokens)).encode()


@dataclass
class Row:
    what: str
    goal: float
    ours: float
    theirs: float
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs if self.theirs else float("inf")

    def line(self) -> str:
        verdict = "reached" if self.ratio <= self.goal else "NOT reached"
        return (
            f"{self.what:52} {self.theirs:10.2f} {self.ours:10.2f} {self.unit:5}"
            f" {self.ratio:6.2f}  ≤ {self.goal:<5} {verdict}"
        )


# Servers -----------------------------------------------------------------------------------------
def start_orthanc(folder: Path) -> tuple[subprocess.Popen[bytes], Server]:
    if shutil.which("Orthanc") is None:
        if os.geteuid() != 0 or shutil.which("apt-get") is None:
            sys.exit("Orthanc is missing. Install Debian's packages orthanc and orthanc-dicomweb.")
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        subprocess.run([*install, "orthanc", "orthanc-dicomweb"], check=True)
    settings = {
        "StorageDirectory": str(folder / "db"),
        "IndexDirectory": str(folder / "db"),
        "HttpPort": ORTHANC_PORT,
        "DicomServerEnabled": False,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
    }
    file = folder / "orthanc.json"
    file.write_text(json.dumps(settings))
    process = subprocess.Popen(
        ["Orthanc", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = Server("Orthanc", ORTHANC_PORT, process.pid)
    wait_for(server)
    return process, server


def start_ours(folder: Path) -> tuple[subprocess.Popen[bytes], Server]:
    environment = os.environ | {"STATE_DIR": str(folder / "state"), "PORT": str(OUR_PORT)}
    python = sys.executable

    def manage(*arguments: str) -> str:
        return subprocess.run(
            [python, "manage.py", *arguments],
            cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip

    manage("migrate", "-v0")
    manage("migrate", "-v0", "--database", "keys")
    manage("shell", "-v0", "-c", "from accounts.services.demo import seed_cast; seed_cast()")
    scopes = ["studies:read", "studies:write"]
    token = manage("issue_token", "--user", "clinician@hospital.example", "--scope", *scopes)
    process = subprocess.Popen(
        [python, "-m", "gunicorn", "-c", "config/gunicorn.py", "config.wsgi"],
        cwd=ROOT,
        env=environment,
    )
    headers = {"Authorization": f"Bearer {token.strip()}"}
    server = Server("Collimate", OUR_PORT, process.pid, headers)
    wait_for(server)
    return process, server


def wait_for(server: Server) -> None:
    for _ in range(200):
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{server.port}/dicom-web/studies?limit=1", headers=server.headers
            )
            with urllib.request.urlopen(request, timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    sys.exit(f"{server.label} does not answer.")


# What is measured --------------------------------------------------------------------------------
class Bench:
    def __init__(self, ours: Server, theirs: Server, rounds: int) -> None:
        self.ours, self.theirs, self.rounds = ours, theirs, rounds
        self.slices = ct_slices(180)

    def compare(self, what: str, goal: float, work: object, *, value: str = "wall") -> Row:
        """Measure both in turn, several times; the medians are compared."""
        found: dict[str, list[float]] = {"ours": [], "theirs": []}
        for turn in range(self.rounds):
            pair = [("theirs", self.theirs), ("ours", self.ours)]
            for name, server in pair if turn % 2 == 0 else pair[::-1]:
                lists, check = work(server)  # type: ignore[operator]
                result = measure(server, lists, check)
                found[name].append(
                    result.wall * 1000 if value == "wall" else result.percentile(float(value))
                )
        row = Row(what, goal, statistics.median(found["ours"]), statistics.median(found["theirs"]))
        print(row.line(), flush=True)
        return row

    def storing(self) -> Iterator[Row]:
        for clients, goal in ((1, 0.5), (4, 0.6)):

            def batches(_: Server, clients: int = clients) -> tuple[list[list[Request]], object]:
                lists = []
                for _client in range(clients):
                    token = new_token()
                    parts = [one.renamed(token).data for one in self.slices[:120]]
                    lists.append([store(parts[:BATCH]), store(parts[BATCH:])])
                return lists, lambda answer: stored(answer, BATCH)

            yield self.compare(f"STOW, batches of 60 x 526 kB, {clients} client(s)", goal, batches)
        for clients in (1, 8):

            def single(_: Server, clients: int = clients) -> tuple[list[list[Request]], object]:
                token = new_token()
                parts = [one.renamed(token).data for one in self.slices[: 15 * clients]]
                lists = [[store([part]) for part in parts[n::clients]] for n in range(clients)]
                return lists, lambda answer: stored(answer, 1)

            yield self.compare(f"STOW, one object per request, {clients} client(s)", 1.5, single)

    def loaded(self, objects: list[Named]) -> list[Named]:
        token = new_token()
        renamed = [one.renamed(token) for one in objects]
        for server in (self.theirs, self.ours):
            parts = [one.data for one in renamed]
            requests = [store(parts[n : n + BATCH]) for n in range(0, len(parts), BATCH)]
            measure(server, [requests])
        return renamed

    def retrieving(self) -> Iterator[Row]:
        objects = self.loaded(self.slices)
        first = objects[0]
        study, series = f"/studies/{first.study}", f"/studies/{first.study}/series/{first.series}"

        def path(one: Named) -> str:
            return f"/studies/{one.study}/series/{one.series}/instances/{one.instance}"

        def repeated(request: Request, times: int) -> object:
            return lambda _: ([[request] * times], bool)

        yield self.compare("WADO, a study of 180", 1.0, repeated(get(study, OBJECTS), 3))
        yield self.compare("WADO, a series of 60", 1.0, repeated(get(series, OBJECTS), 6))
        yield self.compare(
            "/metadata of a study of 180", 0.1, repeated(get(f"{study}/metadata", JSON), 4)
        )
        for what, headers, more in (("objects", OBJECTS, ""), ("frames", FRAMES, "/frames/1")):
            requests = [get(path(one) + more, headers) for one in objects]
            spread = [requests[n::8] for n in range(8)]
            yield self.compare(
                f"WADO, single {what}, 8 clients", 1.0, lambda _, s=spread: (s, bool)
            )
        whole = self.loaded([many_frames()])[0]
        asked = [get(f"{path(whole)}/frames/{1 + n * 37 % 100}", FRAMES) for n in range(10)]
        yield self.compare("WADO, frames of a 100-frame object", 0.1, lambda _: ([asked], bool))

    def streaming(self) -> Iterator[Row]:
        """What one object of 2 GiB adds to our memory, on its way in and on its way out."""
        frames = 4096
        named, pieces = endless_frames(new_token(), frames)
        size = len(named.data) + frames * 512 * 512 * 2
        path = f"/studies/{named.study}/series/{named.series}/instances/{named.instance}"
        requests = {"in": store_streamed(size, pieces), "out": get(path, OBJECTS)}
        for way, request in requests.items():
            before, peak = self.ours.memory_mb(), self.ours.peak_mb
            self.ours.peak_mb = 0.0
            measure(self.ours, [[request]])
            added, self.ours.peak_mb = self.ours.peak_mb - before, max(peak, self.ours.peak_mb)
            row = Row(f"Memory added by 2 GiB on its way {way}", 1.0, added, 64.0, "MB")
            print(row.line(), flush=True)
            yield row

    def searching(self, studies: int) -> Iterator[Row]:
        self.listed, self.search_token = listed_studies(studies), new_token()
        before = self._load_searches(0, max(studies // 100, 50))
        flat = {what: self._p99(what, before) for what in ("id", "name", "date")}
        everything = before + self._load_searches(len(before), studies)
        for what, label in (("id", "patient id"), ("name", "name prefix"), ("date", "7 days")):
            requests = self._searches(what, everything)
            row = self.compare(
                f"QIDO by {label}, {studies} studies, p99", 0.5,
                lambda _, r=requests: ([r], lambda answer: answer.startswith(b"[")), value="0.99",
            )  # fmt: skip
            yield row
            grown = Row(
                f"QIDO by {label}, p99 at {studies} to {len(before)}", 1.3, row.ours, flat[what]
            )
            print(grown.line(), flush=True)
            yield grown

    def _load_searches(self, begin: int, end: int) -> list[object]:
        self.listed = getattr(self, "listed", None) or listed_studies(
            end * 100 if begin == 0 else end
        )
        self.search_token = getattr(self, "search_token", None) or new_token()
        part = self.listed[begin:end]
        parts = [one.renamed(self.search_token).data for study in part for one in study.objects]
        requests = [store(parts[n : n + 200]) for n in range(0, len(parts), 200)]
        for server in (self.theirs, self.ours):
            measure(server, [requests[0::2], requests[1::2]] if len(requests) > 1 else [requests])
        return list(part)

    def _searches(self, what: str, studies: list) -> list[Request]:  # type: ignore[type-arg]
        chosen = studies[:: max(1, len(studies) // 60)][:60]
        if what == "id":
            old, new = TOKEN.decode(), self.search_token.decode()
            paths = [f"/studies?PatientID={one.patient.replace(old, new)}" for one in chosen]
        elif what == "name":
            paths = [f"/studies?PatientName={one.name[:3]}*&limit=25" for one in chosen]
        else:
            paths = [
                f"/studies?StudyDate={one.date}-{int(one.date) + 6}"
                for one in chosen
                if int(one.date[-2:]) <= 22
            ]
        return [get(path, JSON) for path in paths]

    def _p99(self, what: str, studies: list) -> float:  # type: ignore[type-arg]
        requests = self._searches(what, studies)
        results = [measure(self.ours, [requests]).percentile(0.99) for _ in range(self.rounds)]
        return statistics.median(results)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--studies",
        type=int,
        default=5000,
        help="of 20 objects each, for searches; loading 5000 takes ten minutes and more",
    )
    parser.add_argument("--only", default="storing,retrieving,streaming,searching")
    options = parser.parse_args()
    mp.set_start_method("fork", force=True)
    with tempfile.TemporaryDirectory(prefix="collimate-bench-") as name:
        folder = Path(name)
        (folder / "orthanc").mkdir()
        orthanc, theirs = start_orthanc(folder / "orthanc")
        gunicorn, ours = start_ours(folder)
        try:
            _print_machine()
            bench = Bench(ours, theirs, options.rounds)
            phases = {
                "storing": bench.storing,
                "retrieving": bench.retrieving,
                "streaming": bench.streaming,
                "searching": lambda: bench.searching(options.studies),
            }
            rows = [row for only in options.only.split(",") for row in phases[only]()]
        finally:
            for process in (gunicorn, orthanc):
                process.terminate()
                process.wait()
        memory = Row("Server memory at its peak", 1.0, ours.peak_mb, 256.0, "MB")
        print(f"{memory.line()}   (Orthanc: {theirs.peak_mb:.0f} MB)")
        print(f"{'  counting once what processes share':52} {'':10} {ours.peak_shared_mb:10.2f} MB")
        reached = sum(row.ratio <= row.goal for row in [*rows, memory])
        print(f"\n{reached} of {len(rows) + 1} goals reached.")


def _print_machine() -> None:
    version = subprocess.run(["Orthanc", "--version"], capture_output=True, text=True, check=True)
    print(
        f"{os.cpu_count()} cores, {platform.platform()}, Python {platform.python_version()}, "
        f"{version.stdout.splitlines()[0]}, load {os.getloadavg()[0]:.2f}\n"
    )
    print(f"{'What':52} {'Orthanc':>10} {'Collimate':>10} {'':5} {'ratio':>6}  goal")


if __name__ == "__main__":
    main()
