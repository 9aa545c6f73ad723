"""Screens of documents, postings and runs; importing them also tells the mapping screens who waits for a mapping."""

from syncs.admin import (
    certifications,
    customer_conflicts,
    customers,
    decisions,
    documents,
    going_live,
    impacts,
    mapping_release,
    posting_dates,
    previews,
    queue,
    reconciliations,
    restore_mode,
    runs,
    webhook_events,
    webhook_setup,
)

__all__ = [
    "certifications",
    "customer_conflicts",
    "customers",
    "decisions",
    "documents",
    "going_live",
    "impacts",
    "mapping_release",
    "posting_dates",
    "previews",
    "queue",
    "reconciliations",
    "restore_mode",
    "runs",
    "webhook_events",
    "webhook_setup",
]
