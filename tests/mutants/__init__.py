"""Each safeguard of posting taken away, one at a time: some named test must notice."""
