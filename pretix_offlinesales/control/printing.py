"""The organizer's pages for the print shop."""

from io import BytesIO
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.generic import DeleteView, FormView, View

from ..downloads import as_private_file
from ..jobs.queries import find
from ..kinds import MAKE_DATA, PRINT, REPLACE
from ..models import Job, JobFailed, SheetPreset
from ..printing.calibration import print_calibration
from ..printing.choice import count_blocked, count_printed
from ..printing.clearance import tight_codes
from ..printing.letters import missing_letters
from ..printing.plan import Plan
from ..printing.specimen import print_first_sheet
from ..tickets.layouts import usual_layout
from ..tickets.numbers import format_numbers
from .forms import problems_of
from .picture import picture
from .printing_forms import DataForm, PresetForm, PrintForm, SheetForm, find_preset, presets
from .returning import numbers_dealt_with
from .views import BatchMixin
from .waiting import JobMixin


class FileMixin(BatchMixin, JobMixin):
    """Pages from which a file of the batch is made. The dialog ends in the download."""

    permission = "event.orders:write"

    def _find(self, pk):
        job = super()._find(pk)
        if job.batch_id != self.batch.pk:
            raise Http404
        return job

    def get_success_url(self, job):
        return self.url("download", batch=self.batch.pk, job=job.pk)

    def get_error_url(self, job):
        return self.url("batch", batch=self.batch.pk) + f"#offlinesales-{job.kind}"


class FileFormMixin(FileMixin):
    """Those that ask for more."""

    def get_form_kwargs(self):
        return super().get_form_kwargs() | {"batch": self.batch}

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"batch": self.batch}

    def form_valid(self, form):
        if self.too_many:
            form.add_error(None, self.too_many)
            return self.form_invalid(form)
        return self.start(self.create_job(form, {"user": self.request.user}))

    def create_job(self, form, requested_by: dict) -> Job:
        raise NotImplementedError


class BatchPrint(FileMixin, View):
    """Print all of the batch, a page a ticket."""

    kind = PRINT

    def post(self, request, *args, **kwargs):
        if self.too_many:
            return self.refuse(self.too_many, self.url("batch", batch=self.batch.pk))
        return self.start(PRINT.ask(self.batch, {"user": request.user}))


class BatchData(FileFormMixin, FormView):
    """Make a data file of the batch's tickets."""

    template_name = "pretix_offlinesales/control/data.html"
    form_class = DataForm
    kind = MAKE_DATA

    def create_job(self, form, requested_by):
        return MAKE_DATA.ask(self.batch, form.options, requested_by)


class PrintMixin(BatchMixin):
    """Everything about the options of a print, which are one form with several buttons."""

    permission = "event.orders:write"
    template_name = "pretix_offlinesales/control/print.html"

    def _look_at_layout(self) -> dict:
        """What is to be said of it before anything is printed."""
        layout = self.batch.layout or usual_layout(self.request.event, self.batch.item, self.batch.sales_channel)
        try:
            return {
                "tight_codes": tight_codes(self.request.event, layout) if layout else [],
                "missing_letters": missing_letters(self.batch),
            }
        except JobFailed as error:
            return {"problem": str(error)}

    @property
    def choices(self) -> dict:
        """What the page shows beside the form."""
        return {
            "presets": presets(self.batch),
            "own_presets": self.request.event.offline_sales_presets.all(),
            **self._look_at_layout(),
        }

    def page(self, form):
        """The form again, after another of its buttons was pressed."""
        context = {"batch": self.batch, "form": form, "name": self.request.POST.get("name", "")}
        return render(self.request, self.template_name, context | self.choices)


class BatchPrintOptions(PrintMixin, FileFormMixin, FormView):
    """Choose what is printed, and on what sheets."""

    form_class = PrintForm
    kind = PRINT

    def create_job(self, form, requested_by):
        return PRINT.ask(self.batch, requested_by, form.print_request)

    def get_initial(self):
        initial = {"pages": "single", "paper": "A4", "running_text": True, "tickets": self._replaced()}
        if not (key := self.request.GET.get("preset")):
            return initial
        if not (sheet := find_preset(self.batch, key)):
            raise Http404
        return initial | SheetForm.initial_from(sheet)

    def _replaced(self) -> str:
        """The numbers of those that were, where one comes from the result of replacing some."""
        if not (key := self.request.GET.get("replaced")):
            return ""
        try:
            job = find(self.request.event, UUID(key), REPLACE)
        except (ValueError, Job.DoesNotExist):
            raise Http404
        return format_numbers(numbers_dealt_with(job, self.batch))

    def get_context_data(self, **kwargs):
        chosen = {"chosen": self.request.GET.get("preset", ""), "replaced": self.request.GET.get("replaced", "")}
        return super().get_context_data(**kwargs) | self.choices | chosen


class BatchPrintPreview(PrintMixin, View):
    """A piece of that page: what would be printed, with a picture of the first sheet."""

    def get(self, request, *args, **kwargs):
        form = PrintForm(data=request.GET, batch=self.batch)
        context = {"problems": [], "batch": self.batch}
        if form.is_valid():
            plan = Plan(self.batch, form.print_request)
            context |= {
                "amount": len(form.numbers),
                "printed": count_printed(self.batch, form.numbers),
                "blocked": count_blocked(self.batch, form.numbers),
                "sheets": len(plan) if plan.sheet else None,
                "grid": plan.grid,
                "picture": picture(plan) if plan.sheet else "",
            }
        else:
            context["problems"] = problems_of(form)
        return render(request, "pretix_offlinesales/control/print_preview.html", context)


class BatchFirstSheet(PrintMixin, View):
    """The first sheet of what would be printed, as a specimen."""

    def post(self, request, *args, **kwargs):
        form = PrintForm(data=request.POST, batch=self.batch)
        if not form.is_valid():
            return self.page(form)
        try:
            output = BytesIO()
            print_first_sheet(self.batch, form.print_request, output)
        except JobFailed as error:
            form.add_error(None, str(error))
            return self.page(form)
        return _pdf(output.getvalue(), f"{request.event.slug}-offlinesales-specimen.pdf")


class BatchCalibration(PrintMixin, View):
    """A page to print and to measure."""

    def post(self, request, *args, **kwargs):
        form = SheetForm(data=request.POST.dict() | {"pages": "sheets"}, batch=self.batch)
        if not form.is_valid():
            return self.page(form)
        output = BytesIO()
        print_calibration(form.sheet, output)
        return _pdf(output.getvalue(), f"{request.event.slug}-offlinesales-calibration.pdf")


def _pdf(content: bytes, filename: str) -> HttpResponse:
    return as_private_file(HttpResponse(content, content_type="application/pdf"), filename, disposition="inline")


class PresetSave(PrintMixin, View):
    """Keep a sheet for the event, under a name."""

    @transaction.atomic
    def post(self, request, *args, **kwargs):
        form = PresetForm(data=request.POST, batch=self.batch)
        if not form.is_valid():
            return self.page(form)
        values = {"sheet": form.sheet.data}
        preset, added = SheetPreset.objects.update_or_create(
            event=request.event, name=form.cleaned_data["name"], defaults=values
        )
        _log(preset, "added" if added else "changed", values, request.user)
        messages.success(request, _("Your preset has been saved."))
        return redirect(f"{self.url('print_options', batch=self.batch.pk)}?preset={preset.pk}")


class PresetDelete(PrintMixin, DeleteView):
    """Asks first, as the host does."""

    template_name = "pretix_offlinesales/control/preset_delete.html"
    context_object_name = "preset"

    def get_object(self, queryset=None):
        return get_object_or_404(SheetPreset.objects.filter(event=self.request.event), pk=self.kwargs["preset"])

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {"batch": self.batch}

    def get_success_url(self):
        return self.url("print_options", batch=self.batch.pk)

    @transaction.atomic
    def form_valid(self, form):
        _log(self.object, "deleted", {}, self.request.user)
        messages.success(self.request, _("The preset has been deleted."))
        return super().form_valid(form)


def _log(preset: SheetPreset, action: str, values: dict, user) -> None:
    preset.event.log_action(
        f"pretix_offlinesales.preset.{action}", {"id": preset.pk, "name": preset.name, **values}, user=user
    )
