"""What the host's background tasks are made of."""

from pretix.base.services.tasks import ProfiledEventTask, ProfiledTask
from pretix.celery_app import app

__all__ = ["ProfiledEventTask", "ProfiledTask", "app"]
