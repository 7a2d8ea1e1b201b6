"""Wrong addresses for the server of `browse`: each is answered in one line, at once."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import urllib.parse
from collections import Counter
from pathlib import Path

__all__ = ["ask_addresses"]

_N_REQUESTS = 400
_PATHS = (
    *("/api/pair", "/api/signal", "/api/computed", "/api/peaks", "/api/variant"),
    *("/api/download", "/api/progress", "/api/genes", "/api/gene", "/api/about"),
    *("/genome.fa", "/genome.fa.fai", "/page/main.js", "/", "/api/compute"),
    *("/api/nothing", "/../../etc/passwd", "/page/../main.js", "//", "/%00", "/%ff"),
)
_VALUES = {
    "pair": ("CTCF:K562", "MAX:HepG2", "CTCF", ":", "CTCF:K562:x", "CTFC:K562"),
    "chrom": ("chr1", "20", "chrUn", "chr1 "),
    "start": ("0", "100", "59000", "70000"),
    "end": ("1000", "60000", "100", "10000000000"),
    "signal": ("probability", "log-odds", "specificity", "none"),
    "bp_per_pixel": ("1", "20", "0", "1e-9", "1e8"),
    "summary": ("max", "mean", "none"),
    "variant": ("chr1:801 A>C", "chr1:1:A:C", "rs5", "chr1:801:A:" + "C" * 5000),
    "format": ("bigwig", "bed", "bigbed", "narrowpeak", "none"),
    "name": ("MYG1", "myg", "*", "[", "CTCF"),
    "region": ("chr1:1-1000", "MYG1", "chr1:5-1"),
}
_STRANGE = (
    *("", "-1", "nan", "inf", "-inf", "1e400", "9" * 400, "0x10", "1_0", "1.5", "None"),
    *("\x00", "\n", "\u0663", "\ud7ff", "a" * 9000, "';--", "<b>", "../..", "%", "+"),
)


def ask_addresses(inputs: Path, folder: Path, seed: int, tally) -> None:
    """Send requests to a server of its own.

    Parameters
    ----------
    inputs : Path
    folder : Path
        For what the server says.
    seed : int
    tally : Tally
        Counts of the soak, which are added to.
    """
    log = folder / "browse.txt"
    command = (
        *(sys.executable, "-m", "tfimpute_tracks", "browse", "-g", "g.fa"),
        *("-m", "toy.safetensors", "-e", "e.h5", "--genes", "genes.gtf"),
        *("--port", "0", "-p", "1", "--no-cache"),
    )
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, cwd=inputs, stdout=subprocess.PIPE, stderr=errors, text=True
        ) as server,
    ):
        address = server.stdout.readline().strip()
        if not address:
            server.wait()
            tally.failures.append(f"browse did not start: {log.read_text()}")
            return
        host = urllib.parse.urlsplit(address)
        rng = random.Random(seed)
        for number in range(_N_REQUESTS):
            request = _request(rng, host.netloc)
            fault = _ask(host.hostname, host.port, request, tally.refused)
            tally.tried["address"] += 1
            tally.verbs["browse"] += 1
            if fault:
                tally.failures.append(f"browse.{number}: {fault}: {request[:200]!r}")
        if server.poll() is not None:
            tally.failures.append(f"browse ended: {log}")
        server.terminate()
    text = log.read_text(errors="replace")
    for sign in ("Traceback", "panicked", "Exception ignored"):
        if sign in text:
            tally.failures.append(f"browse: {text.count(sign)} x {sign} in {log}")


def _request(rng: random.Random, host: str) -> bytes:
    """Make a request: some values right, some strange, some missing or twice."""
    path = rng.choice(_PATHS)
    values = []
    for name, choices in _VALUES.items():
        for _ in range(rng.choice((0, 1, 1, 1, 2) if name == "pair" else (0, 1, 1, 1))):
            if rng.random() < 0.75:
                value = rng.choice(choices[: rng.choice((1, 2, 9))])
            else:
                value = rng.choice(_STRANGE)
            values.append((name, value))
    query = urllib.parse.urlencode(values)
    if rng.random() < 0.1:
        at = rng.randrange(len(query) + 1)
        query = (
            query[:at] + rng.choice(("%", "%zz", "&&", "=", "%00", "?")) + query[at:]
        )
    method = rng.choice(("GET", "GET", "GET", "POST", "HEAD", "PUT", "XYZ"))
    if path == "/api/compute":
        method = "POST"
    head = f"{method} {path}?{query} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
    if "genome" in path or rng.random() < 0.1:
        ends = rng.choice(
            ("0-99", "0-", "-5", "5-1", "a-b", f"0-{9**40}", "\xb2-3", "0-\xb9", "")
        )
        head += f"Range: bytes={ends}\r\n"
    return head.encode("latin-1", "replace") + b"\r\n"


def _ask(host: str, port: int, request: bytes, refused: Counter) -> str:
    """Send a request; give what is wrong with the answer."""
    try:
        with socket.create_connection((host, port), timeout=30) as connection:
            connection.sendall(request)
            answer = b""
            while block := connection.recv(1 << 16):
                answer += block
    except TimeoutError:
        return "no answer within 30 s"
    except OSError as error:
        return str(error)
    status = answer[9:12].decode(errors="replace")
    if not status.isdigit():
        return f"no status: {answer[:60]!r}"
    refused["address"] += 400 <= int(status) < 500
    if status >= "500":
        return f"status {status}: {answer.partition(_END)[2][:200]!r}"
    return ""


_END = b"\r\n\r\n"
