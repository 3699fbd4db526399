"""
pretix as in production (no DEBUG), on the databases of one run (see ``scratch.py``). Tasks run in the process that
asks, so that they can be measured there.
"""

import os

os.environ["PRETIX_CONFIG_FILE"] = os.devnull
os.environ["PRETIX_PRETIX_DATADIR"] = os.environ["OFFLINESALES_BENCH_DIRECTORY"]
os.environ["PRETIX_REDIS_LOCATION"] = os.environ["OFFLINESALES_BENCH_REDIS"]
os.environ["PRETIX_DATABASE_BACKEND"] = "postgresql"
os.environ["PRETIX_DATABASE_NAME"] = os.environ.get("OFFLINESALES_BENCH_DATABASE", "")
os.environ.setdefault("PRETIX_DATABASE_USER", "postgres")
os.environ.setdefault("PRETIX_DATABASE_HOST", "127.0.0.1")

from pretix.settings import *  # noqa: E402, F403

#: The scratch database gets today's tables at once, not one migration after the other.
MIGRATION_MODULES = type("NoMigrations", (), {"__contains__": lambda *_: True, "__getitem__": lambda *_: None})()
STORAGES["staticfiles"]["BACKEND"] = "demo.assets.Storage"  # noqa: F405
EMAIL_BACKEND = EMAIL_CUSTOM_SMTP_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
CELERY_TASK_ALWAYS_EAGER = True
LOGGING["root"] = {"handlers": [], "level": "ERROR"}  # noqa: F405
for logger in LOGGING["loggers"].values():  # noqa: F405
    logger["handlers"] = ["null"]
