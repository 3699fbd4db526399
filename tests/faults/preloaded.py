"""What all processes of these tests have in common: what a worker or a web server does before its first job."""

import gc
from importlib import import_module

import django
from django.conf import settings

django.setup()

from pretix.celery_app import app  # noqa: E402

app.loader.import_default_modules()
for name in (settings.ROOT_URLCONF, "celery.bin.celery", "celery.concurrency.prefork", "celery.worker.consumer"):
    import_module(name)
# Celery collects garbage before each fork, and would look at all of this.
gc.collect()
gc.freeze()
