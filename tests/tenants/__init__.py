"""Proofs of the tenants app."""
