"""
A measurement in a process of its own, so that none pays for the memory of another, and what it takes there. Processes
are forked: nothing is imported anew.
"""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

from django.db import connections

FORK = get_context("fork")

#: Seconds until another process must be ready.
PATIENCE = 60


def apart(function: Callable, *arguments) -> Any:
    """What this function returns in a process of its own, or raises there."""
    connections.close_all()  # the child would talk into ours
    with ProcessPoolExecutor(1, mp_context=FORK) as executor:
        return executor.submit(function, *arguments).result()


@contextmanager
def beside(function: Callable, *arguments) -> Iterator[Callable[[], Any]]:
    """
    Another process that is at work meanwhile: the function is called with an event that is set at the end, and with
    another one that it sets as soon as it is ready. What is yielded ends it, and returns what it has found.
    """
    connections.close_all()
    ready, ended = FORK.Event(), FORK.Event()
    receiving, sending = FORK.Pipe(duplex=False)

    def work():
        sending.send(function(*arguments, ready=ready, ended=ended))

    process = FORK.Process(target=work, daemon=True)
    process.start()
    sending.close()  # so that nobody waits for what a process that has died will never send
    if not ready.wait(PATIENCE):
        raise RuntimeError(f"{function.__name__} does not get ready")

    def end():
        ended.set()
        return receiving.recv()

    try:
        yield end
    finally:
        ended.set()
        process.join()


class Measured:
    """``with Measured() as measured: …`` takes time, and memory: that above the most that was needed before."""

    #: Between beginning and end; of one of our own processors; of memory, in MB.
    seconds = cpu = megabytes = 0.0

    def __enter__(self):
        self._memory, self._cpu, self._start = _peak_memory(), time.process_time(), time.perf_counter()
        return self

    def __exit__(self, *exc_info):
        self.seconds = time.perf_counter() - self._start
        self.cpu = time.process_time() - self._cpu
        self.megabytes = _peak_memory() - self._memory

    @property
    def found(self) -> dict[str, float]:
        return {"seconds": self.seconds, "cpu": self.cpu, "megabytes": self.megabytes}


def _peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def fastest(get: Callable[[], Any], repetitions: int) -> dict[str, float]:
    """Of something short, the fastest of so many. (The first one prepares what later ones find prepared.)"""
    measured = []
    for _ in range(repetitions):
        with Measured() as each:
            get()
        measured.append(each.found)
    return min(measured, key=lambda each: each["seconds"])
