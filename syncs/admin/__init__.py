"""Screens of documents, postings and runs; importing them also tells the mapping screens who waits for a mapping."""

from syncs.admin import documents, impacts, mapping_release, queue, reconciliations, restore_mode, runs

__all__ = ["documents", "impacts", "mapping_release", "queue", "reconciliations", "restore_mode", "runs"]
from syncs.admin import certifications

__all__ = ["certifications", "documents", "mapping_release", "queue", "reconciliations", "restore_mode", "runs"]
