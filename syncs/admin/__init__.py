"""Screens of documents, postings and runs."""

from syncs.admin import documents, queue, runs

__all__ = ["documents", "queue", "runs"]
