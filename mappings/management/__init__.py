"""Commands of the mappings app."""
