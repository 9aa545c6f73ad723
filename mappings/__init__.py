"""How Chargebee's codes translate into QAD's."""
