"""The rows of this app: what was read, what was made of it, what was sent, and what came back."""

from syncs.models.attempt import Attempt
from syncs.models.creation import CustomerCreation
from syncs.models.cursor import Cursor
from syncs.models.edge import Edge
from syncs.models.posting import Posting
from syncs.models.reconciliation import Reconciliation
from syncs.models.run import Run, RunPage, RunState
from syncs.models.source import Kind, SourceDocument

__all__ = [
    "Attempt",
    "Cursor",
    "CustomerCreation",
    "Edge",
    "Kind",
    "Posting",
    "Reconciliation",
    "Run",
    "RunPage",
    "RunState",
    "SourceDocument",
]
