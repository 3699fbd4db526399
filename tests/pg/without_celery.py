"""gunicorn, with a pretix that has no Celery."""

from django.conf import settings
from gunicorn.app.wsgiapp import run
from pretix.celery_app import app

settings.HAS_CELERY = False
app.conf.task_always_eager = True

if __name__ == "__main__":
    run()
