"""Tests of the syncs app."""
