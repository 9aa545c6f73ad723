"""Speaking to one QAD instance as its profile says."""
