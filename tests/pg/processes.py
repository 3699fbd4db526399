"""Web server, workers, and the wire to the broker, all of which can be cut off."""

import multiprocessing
import os
import runpy
import signal
import socket
import sys
import tempfile
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

from django.conf import settings

ROOT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"


def wait_until(condition, seconds: float = 60, pause: float = 0.01):
    """Ask again and again until the answer is true, and return it."""
    end = monotonic() + seconds
    while not (answer := condition()):
        assert monotonic() < end, f"{condition} took more than {seconds} seconds"
        sleep(pause)
    return answer


#: Imports pretix once; from there on, whatever is started begins where that ended. Otherwise most of the time of these
#: tests would go into imports.
forks = multiprocessing.get_context("forkserver")
forks.set_forkserver_preload(["tests.pg.preloaded"])


class Process:
    """
    A program with all its children. pretix's settings are those of the tests, whatever is in its own environment. Its
    output goes to a file.
    """

    def __init__(self, name: str, *command: str, **environment: str):
        self.log = Path(settings.DATA_DIR, f"{name}.log")
        self.log.touch()
        self._process = forks.Process(target=run, args=[self.log, command, environment])
        self._process.start()

    def kill(self):
        """As a power cut would: nobody of the group can do anything about it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()  # if it was too young to have a group
        self._process.join()

    def terminate(self, children: bool = False, seconds: float = 60):
        """As a deployment would: ask the program to come to an end, and wait for it."""
        (os.killpg if children else os.kill)(self._process.pid, signal.SIGTERM)
        self._process.join(seconds)
        assert not self.lives, self.log.read_text()

    @property
    def lives(self) -> bool:
        return self._process.is_alive()


def run(log: Path, command: tuple[str, ...], environment: dict[str, str]) -> None:
    """What ``python -m command`` does, in a group of its own."""
    os.setsid()
    with log.open("ab") as output, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
        for stream in (sys.stdout, sys.stderr):
            os.dup2(output.fileno(), stream.fileno())
    os.environ.update(environment)
    tempfile.tempdir = None  # read that again
    os.chdir(ROOT)
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


class Worker(Process):
    """A Celery worker that serves only the queue that the plugin's tasks are in."""

    _numbers = count(1)

    def __init__(self, processes: int = 2, **environment: str):
        super().__init__(
            f"worker {next(self._numbers)}",
            *("celery", "-A", "pretix.celery_app", "worker", "-Q", "background", "-c", str(processes)),
            *("-l", "INFO", "--without-mingle", "--without-gossip", "--without-heartbeat"),
            **{"TMPDIR": str(self.temporary_files())} | environment,
        )

    @property
    def is_ready(self) -> bool:
        return " ready." in self.log.read_text()

    @staticmethod
    def temporary_files() -> Path:
        """Where workers put them."""
        folder = Path(settings.DATA_DIR, "temporary")
        folder.mkdir(exist_ok=True)
        return folder


class Server(Process):
    """pretix under gunicorn."""

    def __init__(self):
        self.url = f"http://{HOST}:{free_port()}"
        super().__init__(
            "web",
            *("gunicorn", "pretix.wsgi", "--bind", urlsplit(self.url).netloc, "--workers", "3", "--threads", "4"),
            "--preload",
        )


def free_port() -> int:
    with socket.socket() as free:
        free.bind((HOST, 0))
        return free.getsockname()[1]


class Wire:
    """A TCP port through which a server is reached as long as the wire isn't cut."""

    def __init__(self, host: str, port: int):
        self.port = free_port()
        self._target = (host, port)
        self._connections = []
        self.mend()

    def mend(self):
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, args=[self._listener], daemon=True).start()

    def cut(self):
        """Nobody is reached any more, and whoever was is disconnected."""
        for end in (self._listener, *self._connections):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._connections.clear()

    def _accept(self, listener):
        while True:
            try:
                near, _address = listener.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            self._connections += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=[source, target], daemon=True).start()

    @staticmethod
    def _pump(source, target):
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
