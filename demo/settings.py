"""
pretix on one SQLite file, without Celery and Redis: jobs run in the request. It is the same everywhere: no pretix that
is configured on this machine, by file or by environment, reaches in here.
"""

import os

from . import DIRECTORY, URL

for name in [name for name in os.environ if name.startswith(("PRETIX_", "FILE__PRETIX_"))]:
    del os.environ[name]
os.environ["PRETIX_CONFIG_FILE"] = os.devnull
os.environ["PRETIX_PRETIX_DATADIR"] = str(DIRECTORY)
os.environ["PRETIX_PRETIX_URL"] = URL
os.environ["PRETIX_PRETIX_INSTANCE_NAME"] = "Offline sales demo"

from pretix.settings import *  # noqa: E402, F403
from pretix.settings import DATABASES, STORAGES  # noqa: E402

DATABASES["default"]["OPTIONS"] = {"timeout": 30, "transaction_mode": "IMMEDIATE"}

# pretix's migrations take more than a minute on SQLite, its tables as they are today some seconds.
MIGRATION_MODULES = type("NoMigrations", (), {"__contains__": lambda *_: True, "__getitem__": lambda *_: None})()

STORAGES["staticfiles"]["BACKEND"] = "demo.assets.Storage"

EMAIL_BACKEND = EMAIL_CUSTOM_SMTP_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
