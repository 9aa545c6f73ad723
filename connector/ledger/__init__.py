"""Accounting: Chargebee records in, documents for QAD or problems for people out. Pure."""
