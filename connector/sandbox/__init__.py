"""A Chargebee site and a QAD instance in memory, with the real ones' rules and faults. Imports nothing of the product."""
