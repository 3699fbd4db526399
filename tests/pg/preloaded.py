"""What all processes of these tests have in common."""

import django

django.setup()

import pretix.celery_app  # noqa: E402, F401
