"""What moved, when, and with what result."""
