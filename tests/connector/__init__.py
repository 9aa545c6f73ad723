"""Proofs of the project shell."""
