"""Reading Chargebee: where a site answers, how its lists are paged, and what its JSON means."""
