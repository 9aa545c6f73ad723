"""One file for each promise to the user."""
