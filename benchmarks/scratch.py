"""What a run is measured in: databases of PostgreSQL that are copied and dropped, one of Redis, a folder."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg2
import redis

#: Databases that are made once, and those of a run, begin with these.
WORLD, COPY = "offlinesales_world_", "offlinesales_bench_"


@contextmanager
def scratch() -> Iterator[None]:
    """The folder and the Redis of a run, where ``settings.py`` finds them; to be called before Django is set up."""
    with ExitStack() as stack:
        os.environ["OFFLINESALES_BENCH_DIRECTORY"] = stack.enter_context(tempfile.TemporaryDirectory())
        os.environ["OFFLINESALES_BENCH_REDIS"] = stack.enter_context(_empty_redis())
        yield


@contextmanager
def _empty_redis() -> Iterator[str]:
    """The last of the server's databases that nobody uses. The host caches by primary key, so it must be empty."""
    server = os.environ.get("PRETIX_REDIS_LOCATION", "redis://127.0.0.1:6379")
    for number in reversed(range(16)):
        location = f"{server.rstrip('/')}/{number}"
        with redis.Redis.from_url(location) as database:
            if not database.dbsize():
                try:
                    yield location
                finally:
                    database.flushdb()
                return
    raise RuntimeError("Redis has no database that is empty")


def forget() -> None:
    """What the host has cached of another database."""
    with redis.Redis.from_url(os.environ["OFFLINESALES_BENCH_REDIS"]) as database:
        database.flushdb()


@contextmanager
def scratch_database(template: str = "template1") -> Iterator[str]:
    """A copy of a database that nobody is connected to, or an empty one, as long as this takes, or to be renamed."""
    name = f"{COPY}{os.getpid()}"
    administer(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield name
    finally:
        administer(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def administer(statement: str) -> list[tuple]:
    """What the server answers."""
    server = psycopg2.connect(
        host=os.environ.get("PRETIX_DATABASE_HOST", "127.0.0.1"),
        port=os.environ.get("PRETIX_DATABASE_PORT") or None,
        user=os.environ.get("PRETIX_DATABASE_USER", "postgres"),
        password=os.environ.get("PRETIX_DATABASE_PASSWORD"),
        dbname="postgres",
    )
    server.autocommit = True
    try:
        with server.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        server.close()
