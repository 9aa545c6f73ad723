"""Who uses the connector, and with which credentials."""
