"""Web server, workers, and the wire to the broker, all of which can be cut off."""

import multiprocessing
import os
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import urlsplit

import requests
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
forks.set_forkserver_preload(["tests.faults.preloaded"])

#: Imports it itself, for whoever is to have settings that differ.
afresh = multiprocessing.get_context("spawn")


class Process:
    """
    A program with all its children. pretix's settings are those of the tests, but for what is in its own environment.
    Its output goes to a file.
    """

    def __init__(self, name: str, *command: str, **environment: str):
        self.log = Path(settings.DATA_DIR, f"{name}.log")
        self.log.touch()
        context = afresh if any(variable.startswith("PRETIX_") for variable in environment) else forks
        self._process = context.Process(target=run, args=[self.log, command, environment])
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
            *("celery", "-A", "pretix.celery_app", "--skip-checks", "worker", "-Q", "background", "-c", str(processes)),
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

    def __init__(self, name: str = "web", **environment: str):
        self.url = f"http://{HOST}:{free_port()}"
        super().__init__(
            name,
            *("gunicorn", "pretix.wsgi", "--bind", urlsplit(self.url).netloc, "--workers", "3", "--threads", "4"),
            "--preload",
            **environment,
        )


class Pooler:
    """PgBouncer, which shares a few connections to the database among all that are opened to it."""

    def __init__(self, mode: str, connections: int, patience: int):
        """:param patience: seconds that somebody waits for one of the connections until that is an error"""
        self.port, database = free_port(), settings.DATABASES["default"]
        server = {"host": database["HOST"], "port": database["PORT"] or 5432, "user": database["USER"]}
        if database["PASSWORD"]:
            server["password"] = database["PASSWORD"]
        options = {
            "listen_addr": HOST,
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "any",
            "pool_mode": mode,
            "default_pool_size": connections,
            "query_wait_timeout": patience,
            "ignore_startup_parameters": "extra_float_digits,options",
        }
        config = Path(settings.DATA_DIR, f"pooler {self.port}.ini")
        config.write_text(
            f"[databases]\n* = {' '.join(f'{name}={value}' for name, value in server.items())}\n[pgbouncer]\n"
            + "\n".join(f"{name} = {value}" for name, value in options.items())
        )
        as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
        with Path(settings.DATA_DIR, f"pooler {self.port}.log").open("wb") as log:
            self._process = subprocess.Popen(["pgbouncer", *as_nobody, str(config)], stdout=log, stderr=log)

    @property
    def environment(self) -> dict[str, str]:
        """As pretix is told of it."""
        return {
            "PRETIX_DATABASE_HOST": HOST,
            "PRETIX_DATABASE_PORT": str(self.port),
            "PRETIX_DATABASE_DISABLE_SERVER_SIDE_CURSORS": "true",
        }

    def kill(self):
        self._process.kill()
        self._process.wait()


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


def answers(server):
    assert server.lives, server.log.read_text()
    try:
        return requests.get(server.url + "/api/v1/version").status_code
    except requests.ConnectionError:
        return False
