"""A second reading of the accounting rules: raw Chargebee documents in, books out; shares no code with the product."""
