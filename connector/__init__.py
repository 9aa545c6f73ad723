"""The framework-free kernel of the connector, and the settings of the Django project around it."""
