"""The rows of this app: what was read, what was made of it, what was sent, and what came back."""

from syncs.models.alignment import (
    AlignedCustomer,
    ConflictKind,
    ConflictState,
    CustomerConflict,
    FieldRule,
    LinkState,
    MatchReview,
    ReviewState,
)
from syncs.models.attempt import Attempt
from syncs.models.belonging import EntityScope
from syncs.models.certification import Certification, CertificationState
from syncs.models.creation import CustomerCreation
from syncs.models.cursor import Cursor
from syncs.models.date_approval import DateApproval
from syncs.models.decision import Assignment, ForceRequest, ForceState, Ignore, Remark, Surplus
from syncs.models.edge import Edge
from syncs.models.follow_up import FollowUp
from syncs.models.golive import Backfill, OnAccount, OpeningItem, ParallelComparison
from syncs.models.heartbeat import Heartbeat
from syncs.models.posting import Posting
from syncs.models.read_back import ReadBack
from syncs.models.reconciliation import Reconciliation
from syncs.models.replay_job import ReplayJob
from syncs.models.run import Purpose, Run, RunPage, RunState
from syncs.models.source import Kind, SourceDocument, SourceVersion
from syncs.models.sweep import Notice, SweepWindow
from syncs.models.sync_request import SyncRequest
from syncs.models.webhook import EventState, Style, WebhookCredential, WebhookEndpoint, WebhookEvent

__all__ = [
    "AlignedCustomer",
    "Assignment",
    "Attempt",
    "Backfill",
    "Certification",
    "CertificationState",
    "ConflictKind",
    "ConflictState",
    "Cursor",
    "CustomerConflict",
    "CustomerCreation",
    "DateApproval",
    "Edge",
    "EntityScope",
    "EventState",
    "FieldRule",
    "FollowUp",
    "ForceRequest",
    "ForceState",
    "Heartbeat",
    "Ignore",
    "Kind",
    "LinkState",
    "MatchReview",
    "Notice",
    "OnAccount",
    "OpeningItem",
    "ParallelComparison",
    "Posting",
    "Purpose",
    "ReadBack",
    "Reconciliation",
    "Remark",
    "ReplayJob",
    "ReviewState",
    "Run",
    "RunPage",
    "RunState",
    "SourceDocument",
    "SourceVersion",
    "Style",
    "Surplus",
    "SweepWindow",
    "SyncRequest",
    "WebhookCredential",
    "WebhookEndpoint",
    "WebhookEvent",
]
