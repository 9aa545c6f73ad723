"""The rows of this app: what was read, what was made of it, what was sent, and what came back."""

from syncs.models.attempt import Attempt
from syncs.models.creation import CustomerCreation
from syncs.models.cursor import Cursor
from syncs.models.decision import Assignment, ForceRequest, ForceState, Ignore, Remark, Surplus
from syncs.models.edge import Edge
from syncs.models.heartbeat import Heartbeat
from syncs.models.posting import Posting
from syncs.models.reconciliation import Reconciliation
from syncs.models.replay_job import ReplayJob
from syncs.models.run import Run, RunPage, RunState
from syncs.models.source import Kind, SourceDocument, SourceVersion
from syncs.models.webhook import EventState, Style, WebhookCredential, WebhookEndpoint, WebhookEvent

__all__ = [
    "Assignment",
    "Attempt",
    "Cursor",
    "CustomerCreation",
    "Edge",
    "EventState",
    "ForceRequest",
    "ForceState",
    "Heartbeat",
    "Ignore",
    "Kind",
    "Posting",
    "Reconciliation",
    "Remark",
    "ReplayJob",
    "Run",
    "RunPage",
    "RunState",
    "SourceDocument",
    "SourceVersion",
    "Style",
    "Surplus",
    "WebhookCredential",
    "WebhookEndpoint",
    "WebhookEvent",
]
