"""Test connection says which codes of QAD the tenant leans on are there, before anything is posted."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from mappings.models import AccountRole
from tenants.models import ProbeResult
from tests.flows.scene import a_scene

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("dialect", ["adaptive", "offset-rest"])
def test_what_mappings_and_policies_name_is_asked_for(dialect):
    with a_scene(dialect=dialect) as scene:
        out = StringIO()
        call_command("ping", scene.tenant.slug, stdout=out)

        told = dict(ProbeResult.objects.filter(subject__startswith="reference").values_list("subject", "answer"))
        assert set(told.values()) == {"ok"}
        assert {"reference gl_accounts", "reference credit_terms", "reference period"} <= set(told)
        assert "QAD has GL account 1010, 1090, 1200, " in out.getvalue()


def test_an_account_that_qad_does_not_have_fails_the_test_and_is_named():
    with a_scene() as scene:
        role = AccountRole.objects.get(role="round_off")
        AccountRole.objects.filter(pk=role.pk).update(gl_account="9999")
        day = timezone.localdate()
        scene.world.qad.lock_period(day.year, day.month)

        with pytest.raises(CommandError, match="QAD does not have GL account 9999"):
            call_command("ping", scene.tenant.slug, stdout=StringIO())

        assert ProbeResult.objects.get(subject="reference period").answer == "closed"
