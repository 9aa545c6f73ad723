"""Customers kept the same in Chargebee and QAD: who belongs together, what differs, what is written, who is asked."""
