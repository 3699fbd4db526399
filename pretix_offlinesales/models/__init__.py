"""What the plugin stores: batches, their tickets, the jobs that make and print them, and how sheets are laid."""

from .batch import MAX_AMOUNT, MAX_NUMBER, OfflineSalesBatch, join_names
from .job import RESULT_LIFETIME, Job, JobFailed, JobLost, JobStep, PrintPart
from .preset import SheetPreset
from .requested import REQUESTER, Requested
from .ticket import TICKET_POSITION, OfflineSalesTicket, ReturnKind

__all__ = [
    "MAX_AMOUNT",
    "MAX_NUMBER",
    "REQUESTER",
    "RESULT_LIFETIME",
    "TICKET_POSITION",
    "Job",
    "JobFailed",
    "JobLost",
    "JobStep",
    "OfflineSalesBatch",
    "OfflineSalesTicket",
    "PrintPart",
    "Requested",
    "ReturnKind",
    "SheetPreset",
    "join_names",
]
