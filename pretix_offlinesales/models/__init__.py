"""
What the plugin stores: batches, their tickets, the jobs that make and print them, how sheets are laid, sellers, the
documents by which tickets went from hand to hand, what sellers were told that they owe, and what they have paid.
"""

from .batch import MAX_AMOUNT, MAX_NUMBER, OfflineSalesBatch, join_names
from .document import Document, DocumentCounter, DocumentKind, Movement
from .job import RESULT_LIFETIME, Job, JobFailed, JobLost, JobStep, PrintPart
from .preset import SheetPreset
from .requested import REQUESTER, Requested
from .seller import (
    CHANGE_SELLERS,
    MAX_DEADLINE,
    READ_SELLERS,
    Commission,
    DeadlineAction,
    InvoicedBy,
    ProductCommission,
    Seller,
)
from .statement import SellerPayment, Statement, StatementEntry
from .ticket import TICKET_POSITION, OfflineSalesTicket, ReturnKind

__all__ = [
    "CHANGE_SELLERS",
    "MAX_AMOUNT",
    "MAX_DEADLINE",
    "MAX_NUMBER",
    "READ_SELLERS",
    "REQUESTER",
    "RESULT_LIFETIME",
    "TICKET_POSITION",
    "Commission",
    "DeadlineAction",
    "Document",
    "DocumentCounter",
    "DocumentKind",
    "InvoicedBy",
    "Job",
    "JobFailed",
    "JobLost",
    "JobStep",
    "Movement",
    "OfflineSalesBatch",
    "OfflineSalesTicket",
    "PrintPart",
    "ProductCommission",
    "Requested",
    "ReturnKind",
    "Seller",
    "SellerPayment",
    "SheetPreset",
    "Statement",
    "StatementEntry",
    "join_names",
]
