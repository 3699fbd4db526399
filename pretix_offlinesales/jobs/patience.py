"""Others may hold what a job needs: wait, and try again."""

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from ..models import Job

logger = logging.getLogger(__name__)

T = TypeVar("T")


def with_patience(job: Job, act: Callable[[], T], busy: tuple[type[Exception], ...], pauses: Sequence[float]) -> T:
    """
    Do it once more after each of these pauses, as long as somebody else is busy with what it needs.

    :param busy: what is raised then
    :param pauses: in seconds
    :raises: the last of ``busy``, if nothing has helped
    """
    for seconds in pauses:
        try:
            return act()
        except busy:
            logger.info("Others are busy with what job %s needs, which has to wait", job, exc_info=True)
        time.sleep(seconds)
    return act()
