"""Binds what is stored to the address that its connection has today: from now on a secret goes nowhere else."""

from django.db import migrations

from tenants.fields import CredentialUnreadable, Secret
from tenants.origins import chargebee_origin, qad_origin


def bind(apps, schema_editor):
    for side, names, origin_of in (
        ("Chargebee", ("api_key",), chargebee_origin),
        ("Qad", ("password", "token"), qad_origin),
    ):
        connections = {row.tenant_id: row for row in apps.get_model("tenants", f"{side}Connection").objects.all()}
        for row in apps.get_model("tenants", f"{side}Credential").objects.all():
            if row.tenant_id in connections:
                for name in names:
                    _bind_one(row, name, origin_of(connections[row.tenant_id]))


def _bind_one(row, name, origin):
    secret = getattr(row, name)
    try:
        text = secret.reveal() if secret is not None else ""
    except CredentialUnreadable:
        return  # it stays as it is, and says so where it is used
    if text:
        setattr(row, name, Secret(text, origin=origin))
        row.save(update_fields=[name])


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_audit_chain")]

    operations = [migrations.RunPython(bind, migrations.RunPython.noop)]
