"""Screens of documents, postings and runs; importing them also tells the mapping screens who waits for a mapping."""

from syncs.admin import (
)

__all__ = [
]
