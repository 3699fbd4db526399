"""A batch of tickets through the REST API: asked for, waited for, printed, downloaded."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from . import DIRECTORY, HOST, INTERRUPTED

AMOUNT = 1000


def main():
    with _server() as url:
        event = f"{url}/api/v1/organizers/museum/events/night"
        item = _json(f"{event}/items/?search=Night")["results"][0]["id"]
        order = {"item": item, "sales_channel": "web", "amount": AMOUNT, "comment": "Kiosk at the harbour"}
        with clock(f"Issue {AMOUNT:,} tickets"):
            batch = json.loads(_wait(_json(f"{event}/offlinesalesbatches/", order)["check"]))
        with clock(f"Print {AMOUNT:,} tickets"):
            content = _wait(_json(f"{event}/offlinesalesbatches/{batch['id']}/render/", {})["download"])

    path = DIRECTORY / f"batch-{batch['id']}.pdf"
    path.write_bytes(content)
    shortened = batch | {"orders": [*batch["orders"][:3], f"… {len(batch['orders']) - 3} more"]}
    print(
        f"\n{json.dumps(shortened, indent=4, ensure_ascii=False)}\n\n"
        f"The tickets: {os.path.relpath(path)} ({len(content) / 1e6:.1f} MB)\n"
        "The backend: run `make serve` and log in as it says"
    )


@contextmanager
def _server() -> Iterator[str]:
    """A pretix on a free port: its address, once it answers."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    url, log = f"http://{HOST}:{port}", DIRECTORY / "server.log"
    DIRECTORY.mkdir(exist_ok=True)
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "demo", "serve"], env=os.environ | {"PORT": str(port)}, stdout=output, stderr=output
        )
    try:
        with clock("Start pretix"):
            _wait_until_it_answers(server, url, log)
        yield url
    finally:
        server.terminate()
        server.wait()


def _wait_until_it_answers(server: subprocess.Popen, url: str, log: Path) -> None:
    for _ in range(600):
        if server.poll() == INTERRUPTED:
            raise KeyboardInterrupt  # it heard of it first
        if server.returncode is not None:
            break
        try:
            return urlopen(url + "/static/fonts/LICENSE", timeout=5).close()
        except URLError:
            sleep(0.1)
    sys.exit(f"pretix does not start:\n\n{log.read_text()}")


def _json(url: str, body: dict | None = None) -> dict:
    return json.loads(_request(url, body))


def _request(url: str, body: dict | None = None) -> bytes:
    """GET, or POST the body."""
    headers = {"Authorization": f"Token {(DIRECTORY / 'token').read_text()}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    with urlopen(Request(url, data=data, headers=headers)) as response:
        return response.read()


def _wait(url: str) -> bytes:
    """Ask for the result of a job until it is there."""
    while True:
        try:
            return _request(url)
        except HTTPError as error:
            if error.code != 409:
                sys.exit(f"{error.code} {error.reason}: {error.read().decode()}")
            sleep(1)


@contextmanager
def clock(step: str):
    """Say how long a step took."""
    start = monotonic()
    print(f"{step:<24}", end="", flush=True)
    yield
    print(f"{monotonic() - start:6.1f} s")
