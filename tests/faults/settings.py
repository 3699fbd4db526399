"""
pretix as in production, for the tests as well as for the processes that they start.

The database server is named as for pretix (``PRETIX_DATABASE_HOST``, ``PRETIX_DATABASE_USER``, …); the tests make a
database of their own there, and drop it. ``PRETIX_OFFLINESALES_TEST_REDIS`` is a Redis database that is EMPTIED.
"""

import os
import tempfile
from pathlib import Path

#: The database, and the folder for all files. The processes that the tests start inherit them.
NAME = os.environ.setdefault("PRETIX_OFFLINESALES_TEST_NAME", f"offlinesales_faults_{os.getpid()}")
FOLDER = os.environ.setdefault("PRETIX_OFFLINESALES_TEST_FOLDER", str(Path(tempfile.gettempdir(), NAME)))
REDIS = os.environ.setdefault("PRETIX_OFFLINESALES_TEST_REDIS", "redis://127.0.0.1:6379/14")

os.environ["PRETIX_CONFIG_FILE"] = os.devnull
os.environ["PRETIX_PRETIX_DATADIR"] = FOLDER
os.environ["PRETIX_PRETIX_URL"] = "http://127.0.0.1"
os.environ["PRETIX_PRETIX_ALLOW_HTTP_TO_PRIVATE_NETWORKS"] = "true"
os.environ["PRETIX_DATABASE_BACKEND"] = "postgresql"
os.environ["PRETIX_DATABASE_NAME"] = NAME
os.environ.setdefault("PRETIX_DATABASE_USER", "postgres")
os.environ.setdefault("PRETIX_DATABASE_HOST", "127.0.0.1")
os.environ["PRETIX_CELERY_BACKEND"] = REDIS
os.environ.setdefault("PRETIX_REDIS_LOCATION", REDIS)
os.environ.setdefault("PRETIX_CELERY_BROKER", REDIS)
if "PRETIX_OFFLINESALES_TEST_WITHOUT_CELERY" in os.environ:
    del os.environ["PRETIX_CELERY_BROKER"]

from pretix.settings import *  # noqa: E402, F403
from pretix.settings import CORE_MODULES, INSTALLED_APPS  # noqa: E402

# pretix's migrations take minutes, its tables as they are today some seconds.
MIGRATION_MODULES = type("NoMigrations", (), {"__contains__": lambda *_: True, "__getitem__": lambda *_: None})()

EMAIL_BACKEND = EMAIL_CUSTOM_SMTP_BACKEND = "django.core.mail.backends.dummy.EmailBackend"

INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.witness.Witness"]
CORE_MODULES = {*CORE_MODULES, "tests.faults.witness"}
