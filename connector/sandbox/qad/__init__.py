"""A QAD instance in memory: customers, open items and a double-entry ledger behind two dialects."""
