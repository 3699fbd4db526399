"""
How long pretix's own tasks wait while batches are issued and printed: ``python -m benchmarks.queues``.

Real workers on a scratch database of PostgreSQL and an empty one of Redis, on the servers that ``python -m benchmarks``
takes. All the time, somebody empties a cart, sends a mail and looks through a waiting list, each a task
of pretix's in its queue. What is printed is the longest that one of them took, its own work included, in seconds.
``python -m benchmarks.queues 1000`` does it with batches of 1,000 tickets.
"""

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from .scratch import scratch, scratch_database
from .table import number

AMOUNT = 10_000

#: What is not ours, by queue: the task, and what it needs for an event. None of them finds anything to do.
OTHERS = {
    "checkout": ("pretix.base.services.cart.clear_cart", lambda event: {"event": event, "cart_id": f"cart {event}"}),
    "mail": ("pretix.base.services.mail.mail_send_task", lambda event: {"outgoing_mail": 0}),
    "background": ("pretix.base.services.waitinglist.assign_automatically", lambda event: {"event": event}),
}

#: Seconds between the end of one such task and the next one.
PAUSE = 0.05

#: Seconds to measure for while nothing is issued.
QUIET = 5

WORKER = (sys.executable, "-m", "celery", "-A", "pretix.celery_app", "worker", "-l", "INFO")


@dataclass(frozen=True)
class Setup:
    #: The options of each worker.
    workers: list[str]
    #: What stands in ``pretix.cfg`` besides, as variables of the environment.
    settings: dict[str, str] = field(default_factory=dict)


SETUPS = [
    Setup(["-c 1"]),
    Setup(["-c 2"]),
    Setup(["-c 1", "-c 1"]),
    Setup(["-c 1 -Q default,checkout,mail,notifications", "-c 1 -Q background"]),
    Setup(["-c 1 -Q default,checkout,mail,notifications", "-c 2 -Q background"]),
    Setup(["-c 1", "-c 1 -Q offlinesales"], {"PRETIX_PRETIX_OFFLINESALES_QUEUE": "offlinesales"}),
]

#: What is issued at once, by events: so many batches in each.
JOBS = {"nothing": [0], "a batch": [1], "two batches of an event": [2], "two of two organizers": [1, 1]}


def main(amount: int) -> None:
    with scratch(), scratch_database() as database:
        environment = pretix(database)
        command = [sys.executable, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"]
        subprocess.run(command, env=environment | {"DJANGO_SETTINGS_MODULE": "benchmarks.settings"}, check=True)
        print(f"{f'batches of {amount:,} tickets, seconds':<44}{'issued':>9}{'printed':>9}", end="")
        print("".join(f"{queue:>12}" for queue in OTHERS))
        for setup in SETUPS:
            print(*(f"celery -A pretix.celery_app worker {options}" for options in setup.workers), sep="\n")
            with working(setup, environment | setup.settings) as its_environment:
                for jobs in JOBS:
                    command = [sys.executable, "-m", "benchmarks.queues", jobs, str(amount)]
                    answer = subprocess.run(command, env=its_environment, check=True, stdout=subprocess.PIPE)
                    found = json.loads(answer.stdout)
                    seconds = [found["issued"], found["printed"], *(found["longest"][queue] for queue in OTHERS)]
                    widths = [9, 9, *[12] * len(OTHERS)]
                    figures = [f"{number(each):>{width}}" for each, width in zip(seconds, widths, strict=True)]
                    print(f"  {jobs:<42}{''.join(figures)}", flush=True)


def pretix(database: str) -> dict[str, str]:
    """The environment of a pretix as in production, but that it has no mail server."""
    directory, redis = os.environ["OFFLINESALES_BENCH_DIRECTORY"], os.environ["OFFLINESALES_BENCH_REDIS"]
    return os.environ | {
        "PRETIX_CONFIG_FILE": os.devnull,
        "PRETIX_PRETIX_DATADIR": directory,
        "PRETIX_DATABASE_BACKEND": "postgresql",
        "PRETIX_DATABASE_NAME": database,
        "PRETIX_DATABASE_USER": os.environ.get("PRETIX_DATABASE_USER", "postgres"),
        "PRETIX_DATABASE_HOST": os.environ.get("PRETIX_DATABASE_HOST", "127.0.0.1"),
        "PRETIX_REDIS_LOCATION": redis,
        "PRETIX_CELERY_BROKER": redis,
        "PRETIX_CELERY_BACKEND": redis,
        "OFFLINESALES_BENCH_DATABASE": database,
        "DJANGO_SETTINGS_MODULE": "pretix.settings",
    }


@contextmanager
def working(setup: Setup, environment: dict[str, str]):
    """While these workers run."""
    with ExitStack() as stopped:
        logs = []
        for options in setup.workers:
            log = stopped.enter_context(tempfile.TemporaryFile("w+"))
            worker = subprocess.Popen([*WORKER, *options.split()], env=environment, stdout=log, stderr=log)
            stopped.callback(worker.wait)
            stopped.callback(worker.terminate)
            logs.append(log)
        while not all(is_ready(log) for log in logs):
            time.sleep(0.1)
        yield environment


def is_ready(log) -> bool:
    log.seek(0)
    return " ready." in log.read()


def measure(jobs: str, amount: int) -> dict:
    """Issue these batches and print them. Returns the seconds for each, and the longest that others took, by queue."""
    import django

    logging.disable(logging.INFO)
    django.setup()
    from django_scopes import scopes_disabled
    from pretix.celery_app import app

    from pretix_offlinesales.kinds import PRINT
    from pretix_offlinesales.tasks import start

    from .world import NOBODY, make_other_event, request_batch

    with scopes_disabled():
        items = [make_other_event() for _batches in JOBS[jobs]]
        with others(app, items[0].event.pk) as longest:
            begin = time.perf_counter()
            wanted = zip(items, JOBS[jobs], strict=True)
            issuing = [request_batch(item, amount) for item, batches in wanted for _ in range(batches)]
            issued = finished(start, issuing)
            finished(start, [PRINT.ask(job.batch, NOBODY) for job in issuing])
            printed = time.perf_counter() - begin
            if not issuing:
                time.sleep(QUIET)
    return {
        "issued": issued if issuing else None,
        "printed": printed - issued if issuing else None,
        "longest": longest,
    }


def finished(start, jobs: list) -> float:
    """Hand them to workers, and wait for all. Returns how many seconds that took."""
    begin = time.perf_counter()
    for job in jobs:
        start(job)
    for job in jobs:
        while job.state in job.UNFINISHED:
            time.sleep(0.02)
            job.refresh_from_db()
        assert job.state == job.State.SUCCEEDED, job.message
    return time.perf_counter() - begin


@contextmanager
def others(app, event: int):
    """Somebody for each queue. What is yielded is filled in the end."""
    longest: dict[str, float] = {}
    over = threading.Event()

    def ask(queue):
        name, arguments_for = OTHERS[queue]
        arguments = arguments_for(event)
        app.send_task(name, kwargs=arguments).get()  # the first one of a worker takes longer
        waited = [0.0]
        while not over.wait(PAUSE):
            begin = time.perf_counter()
            app.send_task(name, kwargs=arguments).get()
            waited.append(time.perf_counter() - begin)
        longest[queue] = max(waited)

    threads = [threading.Thread(target=ask, args=[queue]) for queue in OTHERS]
    for thread in threads:
        thread.start()
    time.sleep(1)
    try:
        yield longest
    finally:
        over.set()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    match sys.argv[1:]:
        case [jobs, amount]:
            print(json.dumps(measure(jobs, int(amount))))
        case [amount]:
            main(int(amount))
        case _:
            main(AMOUNT)
