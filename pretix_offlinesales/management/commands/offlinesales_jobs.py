"""What the plugin has to do, what it could not do, and what can be done about it."""

from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.utils.timezone import now
from django_scopes import scopes_disabled

from ... import tasks
from ...jobs import runner
from ...jobs.lock import is_abandoned
from ...models import Job


class Command(BaseCommand):
    help = (
        "Lists the jobs of offline sales that are unfinished or have failed, of all events. With --recover, those that "
        "nobody works on are handed to a worker again; with --cancel, a job that waits is given up."
    )

    def add_arguments(self, parser):
        action = parser.add_mutually_exclusive_group()
        action.add_argument("--recover", action="store_true", help="recover all unfinished jobs, now")
        action.add_argument("--cancel", metavar="JOB", type=UUID, help="give this job up")

    @scopes_disabled()
    def handle(self, *args, recover, cancel, **options):
        if cancel:
            self._cancel(cancel)
        if recover:
            tasks.recover_jobs()
        listed = Job.objects.filter(state__in=(*Job.UNFINISHED, Job.State.FAILED)).select_related("event__organizer")
        for job in listed:
            self.stdout.write(self._line(job))

    def _cancel(self, pk):
        job = Job.objects.filter(pk=pk).first()
        if not job:
            raise CommandError(f"There is no job {pk}.")
        if not runner.cancel(job):
            raise CommandError(f"Job {job} can't be canceled: only what waits and has not made anything yet can.")

    def _line(self, job):
        state = job.state
        if state == Job.State.RUNNING:
            state += " (abandoned)" if is_abandoned(job) else f" {job.progress}%"
        age = str(now() - job.created).partition(".")[0]
        line = f"{job}  {job.event.organizer.slug}/{job.event.slug}  {state}  asked {age} ago, attempts: {job.attempts}"
        return f"{line}  {job.message}" if job.message else line
