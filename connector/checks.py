"""System checks with ids: what would make money unsafe stops the start."""
