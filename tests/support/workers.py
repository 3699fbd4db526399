"""Workers that die, and others at work at the same time, with a connection of their own."""

import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils.timezone import now

from pretix_offlinesales.jobs import runner
from pretix_offlinesales.models import Job

from .jobs import run


class Killed(BaseException):
    """The worker dies."""


def die(job):
    """Let a worker work until it is killed, and somebody find out."""
    with pytest.raises(Killed):
        run(job)
    Job.objects.filter(pk=job.pk).update(heartbeat=now() - timedelta(hours=1))
    for _attempt in range(500):
        job.refresh_from_db()
        runner.recover(job)
        job.refresh_from_db()
        if job.state != "running":
            break
        time.sleep(0.01)  # the server notices after a moment that the dead one's connection is gone
    return job.state


class Other(threading.Thread):
    """Somebody else, with a connection of their own."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self._work, self.result = work, None
        self.start()

    def run(self):
        from django_scopes import scopes_disabled

        try:
            with scopes_disabled():
                self.result = self._work()
        except Exception as error:
            self.result = error
        finally:
            connections.close_all()

    def waits_for_a_lock(self, waiting=1):
        """Wait until the database says so: of this one, if so many wait now."""
        for _attempt in range(500):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    " AND datname = current_database()"
                )
                [found] = cursor.fetchone()
                if found >= waiting:
                    return True
            self.join(0.01)
        return False


@contextmanager
def holding_up(model):
    """Whoever writes rows of this model waits until the end of the block, which may write some first. (PostgreSQL)"""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f'LOCK TABLE "{model._meta.db_table}" IN SHARE ROW EXCLUSIVE MODE')
        yield
