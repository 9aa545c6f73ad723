"""A Chargebee site and a QAD instance in memory, with the real rules and faults. Imports nothing of the product."""
