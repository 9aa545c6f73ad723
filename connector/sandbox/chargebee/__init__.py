"""A Chargebee site in memory: API v2, product catalog 2.0."""
