"""The demo's pretix, but with Celery: its broker is this process's memory, its worker a thread of the server."""

from demo.settings import *  # noqa: F403

HAS_CELERY = True
CELERY_TASK_ALWAYS_EAGER = False
CELERY_BROKER_URL = "memory://"
CELERY_RESULT_BACKEND = "cache+memory://"
