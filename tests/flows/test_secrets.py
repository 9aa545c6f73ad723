"""No credential is found in clear anywhere that a person, a file or a backup may reach, not even after errors."""

from __future__ import annotations

import base64
import io
import logging
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError

from syncs.models import Attempt
from tenants import connections
from tenants.models import ChargebeeCredential, QadCredential
from tests.flows.scene import Scene, a_scene

pytestmark = pytest.mark.django_db(transaction=True)

KEY, PASSWORD = "test_canaryKeyQ7wLz93mB1xT", "canary pass/word+ümlaut&8812"
COMMANDS = (
    ("sync",), ("status",), ("status", "--json"), ("trial_balance",), ("export_tenant",), ("ping",), ("refresh",),
    ("replay", "--all"),
)  # fmt: skip


def with_canaries(scene: Scene) -> None:
    """Both systems and the tenant know credentials that are seen nowhere else."""
    for credential, changes in (
        (ChargebeeCredential.objects.get(), {"api_key": KEY}),
        (QadCredential.objects.get(), {"password": PASSWORD}),
    ):
        for name, value in changes.items():
            setattr(credential, name, value)
        credential.save()
    scene.world.chargebee.api.keys = {"Basic " + base64.b64encode(f"{KEY}:".encode()).decode(): "full"}
    for door in (scene.world.qad.clouderp, scene.world.qad.finrest):
        door.login.password = PASSWORD
    scene.tenant = type(scene.tenant).objects.get()


def forms(scene: Scene) -> list[str]:
    """Every shape in which a secret may leave a trace."""
    basic = [base64.b64encode(text.encode()).decode() for text in (f"{KEY}:", f"connector:{PASSWORD}", PASSWORD, KEY)]
    tokens = [*scene.world.qad.clouderp.login._access, *scene.world.qad.clouderp.login._refresh]
    return [KEY, PASSWORD, *basic, *tokens]


def everything_stored() -> Iterator[str]:
    """Every value of every row of every table, unpacked."""
    for model in apps.get_models():
        for row in model._default_manager.values_list():
            for value in row:
                yield f"{model.__name__}: {value!r} {_unpacked(value)}"


def _unpacked(value: object) -> str:
    if not isinstance(value, bytes | memoryview):
        return ""
    try:
        return zlib.decompress(bytes(value)).decode()
    except zlib.error:
        return ""


def echo(scene: Scene, fault: str, **settings: Any) -> None:
    """An instance that repeats in its answer how the request signed in."""
    scene.fault(fault, text=f"<h1>Bad request</h1> Authorization: {signed_in(scene)}", **settings)


def signed_in(scene: Scene) -> str:
    tokens = list(scene.world.qad.clouderp.login._access)
    return f"Bearer {tokens[-1]}" if tokens else f"Basic {forms(scene)[3]}"


def said_by_commands(scene: Scene) -> str:
    out = io.StringIO()
    for name, *options in COMMANDS:
        try:
            call_command(name, scene.tenant.slug, *options, stdout=out, stderr=out)
        except CommandError as error:
            out.write(str(error))
    return out.getvalue()


@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_no_credential_is_found_in_clear_after_errors_on_both_sides(dialect, caplog):
    caplog.set_level(logging.DEBUG)
    with a_scene(dialect=dialect) as scene:
        with_canaries(scene)
        for _ in range(6):
            scene.invoice()
        scene.prepare()
        scene.fault("status_after_commit", status=500)
        scene.fault("status", status=400)
        scene.fault("html", status=404, after=1)
        scene.fault("truncate", after=1)
        scene.fault("api_authentication_failed", side="chargebee", path="item_prices")
        scene.post()
        said = said_by_commands(scene)
        scene.fault("unauthorized", times=None)
        scene.invoice()
        said += said_by_commands(scene)

        stored = list(everything_stored())
        assert Attempt.objects.filter(exchange__isnull=False).exclude(outcome="posted").count() >= 3
        for secret in forms(scene):
            assert [text[:200] for text in stored if secret in text] == []
            assert secret not in said
            assert secret not in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["adaptive", pytest.param("offset-rest", marks=pytest.mark.slow)])
@pytest.mark.parametrize("fault", ["status", "status_after_commit"])
def test_an_answer_that_repeats_the_credentials_is_masked_wherever_it_is_kept(dialect, fault):
    with a_scene(dialect=dialect) as scene:
        with_canaries(scene)
        scene.invoice()
        scene.prepare()
        echo(scene, fault, status=500)

        scene.post()

        secret = signed_in(scene).split()[1]
        assert Attempt.objects.get().status == 500
        assert [text[:300] for text in everything_stored() if secret in text] == []


def test_no_credential_is_found_in_what_objects_say_of_themselves():
    with a_scene() as scene:
        with_canaries(scene)
        with scene.qad() as client, connections.chargebee_client(scene.tenant) as chargebee:
            client.sign_in()
            things = [
                client, client.session, chargebee, vars(client.session).get("_credentials"), scene.tenant,
                ChargebeeCredential.objects.get(), QadCredential.objects.get(),
                ChargebeeCredential.objects.get().api_key, QadCredential.objects.values().get(),
            ]  # fmt: skip

            said = " ".join(f"{thing!r} {thing!s}" for thing in things)

        assert [secret for secret in forms(scene) if secret in said] == []


def test_the_credentials_of_a_refused_sign_in_are_not_repeated():
    with a_scene() as scene:
        with_canaries(scene)
        scene.world.qad.clouderp.login.password = "another"
        out = io.StringIO()

        with pytest.raises(CommandError) as failed:
            call_command("sync", scene.tenant.slug, stdout=out, stderr=out)

        assert failed.value.returncode == 3
        assert PASSWORD not in str(failed.value) + out.getvalue() + repr(failed.value.__cause__)
