"""The organizer's pages for the print shop."""

from django.http import Http404
from django.views.generic import FormView

from .. import jobs
from ..models import Job
from .printing_forms import DataForm
from .views import BatchMixin
from .waiting import JobMixin


class FileMixin(BatchMixin, JobMixin):
    """Pages from which a file of the batch is made. The dialog ends in the download."""

    permission = "event.orders:write"

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"batch": self.batch}

    def refuse_too_many(self, form):
        form.add_error(None, self.too_many)
        return self.form_invalid(form)

    def _find(self, pk):
        job = super()._find(pk)
        if job.batch_id != self.batch.pk:
            raise Http404
        return job

    def get_success_url(self, job):
        return self.url("download", batch=self.batch.pk, job=job.pk)

    def get_error_url(self, job):
        return self.url("batch", batch=self.batch.pk)


class BatchData(FileMixin, FormView):
    """Make a data file of the batch's tickets."""

    template_name = "pretix_offlinesales/control/data.html"
    form_class = DataForm
    kind = Job.Kind.DATA

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"batch": self.batch}

    def form_valid(self, form):
        if self.too_many:
            return self.refuse_too_many(form)
        return self.start(jobs.create_data(self.batch, form.options, {"user": self.request.user}))
