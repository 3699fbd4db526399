"""
The host's own test settings: SQLite in memory, no Redis, tasks run at once. With
``PRETIX_OFFLINESALES_TEST_DATABASE=postgresql`` the same suite runs on PostgreSQL; where the server is, is said as
pretix says it (``PRETIX_DATABASE_HOST``, ``PRETIX_DATABASE_USER``, …), with a local one as the default.
"""

import os

if os.environ.get("PRETIX_OFFLINESALES_TEST_DATABASE", "sqlite") == "postgresql":
    os.environ["PRETIX_DATABASE_BACKEND"] = "postgresql"
    os.environ.setdefault("PRETIX_DATABASE_NAME", "postgres")
    os.environ.setdefault("PRETIX_DATABASE_USER", "postgres")
    os.environ.setdefault("PRETIX_DATABASE_HOST", "127.0.0.1")

from pretix.testutils.settings import *  # noqa: E402,F403
from pretix.testutils.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
