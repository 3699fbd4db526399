"""
Waiting for a job in the browser, with the host's own progress dialog.

The dialog (the host's ``asynctask.js``) asks a URL again and again and understands a few keys of JSON. The host answers
it from Celery's result backend; we answer from the job's row, which knows the truth without Celery, too. Whoever
reloads or comes back later gets the host's waiting page, which ends where the dialog would.
"""

from contextlib import suppress
from uuid import UUID

from django.contrib import messages
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, JsonResponse
from django.shortcuts import redirect, render

from .. import tasks
from ..jobs.queries import find, too_many
from ..jobs.registry import Kind
from ..models import Job


class JobMixin:
    """Views that start a job, and that are asked (by GET with ``async_id``) how far it is."""

    #: What kind of job it is.
    kind: Kind
    #: Said on the page that the dialog ends in, if it is another one.
    success_message = ""

    def get_success_url(self, job: Job) -> str:
        raise NotImplementedError

    def get_error_url(self, job: Job) -> str:
        """A page that says why it failed, for everybody to see, not only for whoever is led there."""
        raise NotImplementedError

    @property
    def too_many(self) -> str:
        """Why nothing can be started now."""
        return too_many(self.request.event)

    def start(self, job: Job) -> HttpResponse:
        tasks.start(job)
        # Without Celery it is done by now. It was accepted, so nobody gets an error, even if the database is away.
        with suppress(Error):
            job.refresh_from_db()
        return self._answer(job)

    def refuse(self, message: str, url: str) -> HttpResponse:
        """Nothing was started; say why on that page."""
        messages.error(self.request, message)
        if "ajax" in self.request.POST:
            return JsonResponse({"ready": True, "success": False, "redirect": url, "message": message})
        return redirect(url)

    def get(self, request: HttpRequest, *args, **kwargs) -> HttpResponse:
        if "async_id" in request.GET:
            return self._answer(self._find(request.GET["async_id"]))
        if hasattr(super(), "get"):
            return super().get(request, *args, **kwargs)
        return HttpResponseNotAllowed(["POST"])

    def _find(self, pk: str) -> Job:
        try:
            job = find(self.request.event, UUID(pk), self.kind)
        except (ValueError, Job.DoesNotExist) as error:
            raise Http404 from error
        tasks.recover(job)
        return job

    def _answer(self, job: Job) -> HttpResponse:
        if "ajax" in self.request.GET or "ajax" in self.request.POST:
            return JsonResponse(self._state(job))
        if job.finished:
            return redirect(self._ending(job))
        if self.request.method == "POST":
            return redirect(self._check_url(job))
        return render(
            self.request,
            "pretixpresale/waiting.html",
            {"started": job.state == Job.State.RUNNING, "percentage": job.progress},
        )

    def _state(self, job: Job) -> dict:
        state = {"async_id": str(job.pk), "check_url": self._check_url(job) + "&ajax=1"}
        if job.finished:
            success = job.state == Job.State.SUCCEEDED
            return state | {
                "ready": True,
                "success": success,
                # Where the ending is told on the page that it leads to; not here, since the dialog may ask twice.
                "redirect": self._check_url(job),
                "message": str(self.success_message) if success else job.message,
            }
        state |= {"ready": False, "started": job.state == Job.State.RUNNING}
        return state | ({"percentage": job.progress} if state["started"] else {})

    def _check_url(self, job: Job) -> str:
        return f"{self.request.path}?async_id={job.pk}"

    def _ending(self, job: Job) -> str:
        if job.state == Job.State.FAILED:
            return self.get_error_url(job)
        if self.success_message:
            messages.success(self.request, self.success_message)
        return self.get_success_url(job)
