"""Pages as Chromium shows them."""
