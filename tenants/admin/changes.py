"""Who made a change, for the audit line of a screen."""

from tenants.changes import actor_of

__all__ = ["actor_of"]
