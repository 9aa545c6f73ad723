"""Credentials at rest: encrypted, bound to their tenant, field and address, never shown by accident."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import FieldError, ImproperlyConfigured
from django.db.models import Model
from django.db.models.query_utils import DeferredAttribute
from django.views.decorators.debug import sensitive_variables
from fernet_fields import EncryptedTextField
from fernet_fields.hkdf import derive_fernet_key

from connector.errors import Configuration

Owner = tuple[int, str]  # tenant id, field label such as "qadcredential.password"


class CredentialUnreadable(Configuration):
    """A stored secret that this installation cannot read: lost key, damaged text, or a text of another row."""


class Secret:
    """A secret text; `reveal()` is the only way to see it. Loaded from a row it holds ciphertext only.

    `origin` is the address that it was entered for (tenants.origins). It is encrypted with the text, so that no change
    of a connection, nor of a row by hand, brings the secret to another address.
    """

    __slots__ = ("_origin", "_owner", "_plain", "_token")

    def __init__(
        self,
        plain: str | None = None,
        *,
        origin: str = "",
        token: bytes | None = None,
        owner: Owner | None = None,
    ) -> None:
        self._plain = plain
        self._origin = origin
        self._token = token
        self._owner = owner

    @property
    def is_stored(self) -> bool:
        """False for a text that was just entered."""
        return self._token is not None

    def owned_by(self, owner: Owner) -> Secret:
        if owner == self._owner:
            return self
        return Secret(self._plain, origin=self._origin, token=self._token, owner=owner)

    def entered_for(self, origin: str) -> Secret:
        """What was just entered is for this address; what is stored stays bound to its own."""
        return self if self.is_stored or self._origin else Secret(self._plain, origin=origin, owner=self._owner)

    @sensitive_variables()
    def reveal(self, origin: str = "") -> str:
        """The text, for the address that it was entered for. Raises CredentialUnreadable, never returns ''."""
        if self._plain is not None and origin == self._origin:
            return self._plain
        envelope = self._envelope()
        bound = str(envelope.get("o", ""))
        if bound != origin:
            words = _words(str(envelope["f"]))
            entered, wanted = bound or "no address", origin or "none"
            raise CredentialUnreadable(
                f"The stored {words} was entered for {entered}, not for {wanted}. Enter it again."
            )
        return str(envelope["v"])

    @sensitive_variables()
    def renewed(self) -> Secret:
        """The same secret under the newest key. Raises CredentialUnreadable."""
        return Secret(token=_cipher().encrypt(json.dumps(self._envelope()).encode()))

    @sensitive_variables()
    def _envelope(self) -> dict[str, Any]:
        if self._owner is None:
            raise CredentialUnreadable("A secret can be read from its row only, not from a list of values.")
        tenant_id, label = self._owner
        if self._plain is not None:
            return {"t": tenant_id, "f": label, "o": self._origin, "v": self._plain}
        envelope = self._open(label)
        if envelope.get("t") != tenant_id or envelope.get("f") != label:
            raise CredentialUnreadable(f"The stored {_words(label)} belongs to another row. Enter it again.")
        return envelope

    @sensitive_variables()
    def _open(self, label: str) -> dict[str, Any]:
        try:
            envelope = json.loads(_cipher().decrypt(self._token or b""))
        except (InvalidToken, ValueError) as error:
            raise CredentialUnreadable(
                f"The {_words(label)} cannot be read with today's FERNET_KEYS. Add the old key, or enter it anew."
            ) from error
        if not isinstance(envelope, dict) or "v" not in envelope:
            raise CredentialUnreadable(f"The stored {_words(label)} is damaged. Enter it again.")
        return envelope

    @sensitive_variables()
    def sealed(self) -> bytes:
        """Ciphertext for the row. What was loaded goes back unchanged, readable or not."""
        if self._token is not None:
            return self._token
        if self._owner is None or self._owner[0] is None:
            raise ValueError("A secret is saved through its own row, after its tenant is saved.")
        return _cipher().encrypt(json.dumps(self._envelope()).encode())

    def has_newest_key(self) -> bool:
        """False if the text was encrypted with an older key, or cannot be read."""
        if self._token is None:
            return False
        try:
            _newest().decrypt(self._token)
        except InvalidToken:
            return False
        return True

    def __repr__(self) -> str:
        return "<secret>"

    __str__ = __repr__

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _from_token, (self.sealed(),)


def _from_token(token: bytes) -> Secret:
    return Secret(token=token)


def _words(label: str) -> str:
    return label.replace("credential.", " ").replace("_", " ")


def _cipher() -> MultiFernet:
    return MultiFernet(_fernets(tuple(_keys())))


def _newest() -> Fernet:
    return _fernets(tuple(_keys()))[0]


def _keys() -> list[str]:
    keys = list(getattr(settings, "FERNET_KEYS", None) or [])
    if not keys:
        raise ImproperlyConfigured("FERNET_KEYS is not set. Set it to one or more random texts: see docs/SETTINGS.md.")
    return keys


@lru_cache(maxsize=8)
def _fernets(keys: tuple[str, ...]) -> list[Fernet]:
    return [Fernet(derive_fernet_key(key)) for key in keys]


class _SecretAttribute(DeferredAttribute):
    """Wraps what is set, and tells what is read which row it stands in."""

    def __get__(self, instance: Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if instance is None or not isinstance(value, Secret):
            return value
        return value.owned_by(_owner(instance, self.field))

    def __set__(self, instance: Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


def _owner(instance: Model, field: Any) -> Owner:
    return instance.tenant_id, f"{instance._meta.model_name}.{field.name}"  # type: ignore[attr-defined]


class SecretField(EncryptedTextField):
    """A credential of a tenant-owned row. '' and None both mean "not set"; expressions are refused.

    A row that has an `origin` (the address of its connection) binds to it what is entered, see Secret.

    The package's field would encrypt the text of an SQL expression (`bulk_update`), fail while a list is read if one
    row has a lost key, and fall back to SECRET_KEY; this one does none of it.
    """

    descriptor_class = _SecretAttribute

    def to_python(self, value: Any) -> Secret | None:
        if value is None or value == "":
            return None
        return value if isinstance(value, Secret) else Secret(str(value))

    def from_db_value(self, value: Any, expression: Any, connection: Any, *args: Any) -> Secret | None:
        return None if value is None else Secret(token=bytes(value))

    def pre_save(self, model_instance: Model, add: bool) -> Secret | None:
        secret: Secret | None = getattr(model_instance, self.attname)
        if secret is not None:  # the saved object keeps ciphertext only
            secret = secret.entered_for(getattr(model_instance, "origin", ""))
            setattr(model_instance, self.attname, Secret(token=secret.sealed()))
        return secret and getattr(model_instance, self.attname)

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        if value is None:
            return None
        if not isinstance(value, Secret):
            raise FieldError(f"'{self.name}' is a secret: save it through its row, not by update() or bulk_update().")
        return connection.Database.Binary(value.sealed())

    def value_to_string(self, obj: Model) -> str:
        return ""  # a fixture holds no secrets

    def save_form_data(self, instance: Model, data: Any) -> None:
        if data:  # a blank form field keeps what is stored
            setattr(instance, self.attname, data)
