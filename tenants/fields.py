"""Encrypted model fields."""

from fernet_fields import EncryptedTextField


class SecretField(EncryptedTextField):
    """A credential at rest."""
