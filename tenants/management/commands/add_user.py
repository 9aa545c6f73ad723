"""manage.py add_user NAME: a login with roles at tenants."""

from __future__ import annotations

import getpass
import os
import sys
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from tenants import audit
from tenants.commands import REFUSED, WRONG_NAME, Failed, SentenceCommand, tenant_named
from tenants.models import Membership, Role, Tenant


class Command(SentenceCommand):
    help = "Make a login, or give an existing one more roles. The password is asked for, or read from a variable."
    example = "manage.py add_user mira --tenant acme --role accountant --role finance_user"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the login name")
        parser.add_argument("--tenant", action="append", default=[], help="a tenant's short name; may be repeated")
        parser.add_argument("--role", action="append", choices=list(Role.values), default=[], help="may be repeated")
        parser.add_argument("--all-roles", action="store_true", help="every role")
        parser.add_argument("--platform", action="store_true", help="may manage tenants and logins")
        parser.add_argument("--password-env", help="the environment variable that holds the password")

    def perform(self, **options: Any) -> None:
        tenants = [tenant_named(slug) for slug in options["tenant"]]
        roles = list(Role.values) if options["all_roles"] else options["role"]
        _refuse_what_says_too_little(options, roles)
        with transaction.atomic():
            user = self._user(options)
            for tenant in tenants:
                self._give(user, tenant, roles)
        self.say(f"{user.username} may log in" + (f" at {', '.join(options['tenant'])}." if tenants else "."))

    def _user(self, options: dict[str, Any]) -> User:
        user = User.objects.filter(username=options["name"]).first() or User(username=options["name"])
        if user.pk is None or options["password_env"]:
            user.set_password(self._password(user, options["password_env"]))
        user.is_staff = True
        user.is_superuser = user.is_superuser or options["platform"]
        user.save()
        return user

    def _password(self, user: User, variable: str | None) -> str:
        password = os.environ.get(variable, "") if variable else _typed(f"Password of {user.username}: ")
        if not password:
            raise Failed(
                f"The variable {variable} is not set."
                if variable
                else "No password was given. Type it, or name a variable that holds it: --password-env NAME.",
                returncode=REFUSED,
            )
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Failed(" ".join(error.messages), returncode=REFUSED) from None
        return password

    def _give(self, user: User, tenant: Tenant, roles: list[str]) -> None:
        for role in roles:
            Membership.objects.get_or_create(user=user, tenant=tenant, role=role)
        line = audit.Line("membership", f"user:{user.username}", after={"roles": roles})
        audit.record(tenant.pk, [line], actor="command line", now=timezone.now())


def _refuse_what_says_too_little(options: dict[str, Any], roles: list[str]) -> None:
    name = options["name"]
    if options["tenant"] and not roles:
        raise Failed(f"Say which role {name} has: --role {' | '.join(Role.values)}.", returncode=WRONG_NAME)
    if roles and not options["tenant"]:
        raise Failed(f"Say at which tenant {name} has that role: --tenant NAME.", returncode=WRONG_NAME)
    try:
        User(username=name).clean_fields(exclude=["password"])
    except ValidationError as error:
        text = f"{name!r} cannot be a login name. {' '.join(error.messages)}"
        raise Failed(text, returncode=WRONG_NAME) from None


def _typed(prompt: str) -> str:
    """What a person types at a terminal, '' where there is none."""
    return getpass.getpass(prompt) if sys.stdin.isatty() else ""
