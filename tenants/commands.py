"""The base of every command: an example in --help, and a sentence instead of a traceback."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from connector.errors import ConnectorError, Problem
from tenants.access import Action, may
from tenants.models import Tenant

REFUSED = 1  # the file, the data or the answer is not right
WRONG_NAME = 2  # no such tenant or file; argparse's own number for wrong usage
OTHER_SIDE = 3  # Chargebee or QAD did not let us do it
POSTING_OFF = 4  # all is well, but documents that are ready were not sent, because posting is off


class Failed(CommandError):
    """Printed as it stands, without a traceback."""


class SentenceCommand(BaseCommand):
    """Subclasses write `perform(**options)` and `example`. Exit codes: 0, or one of those above."""

    example = ""

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs.setdefault("epilog", f"Example:\n  {self.example}")
        kwargs.setdefault("formatter_class", _Formatter)
        return super().create_parser(prog_name, subcommand, **kwargs)

    def handle(self, *args: Any, **options: Any) -> str | None:
        try:
            self.perform(**options)
        except ConnectorError as error:
            raise Failed(error.message, returncode=OTHER_SIDE) from error
        except ImproperlyConfigured as error:
            raise Failed(str(error), returncode=REFUSED) from error
        except DatabaseError as error:
            raise Failed(unanswered(error)) from error
        return None

    def perform(self, **options: Any) -> None:
        raise NotImplementedError

    def say(self, text: str) -> None:
        """A line; one that nobody reads any more (`… | head`) is dropped, and the work goes on."""
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Django's order of options is not worth the lost line breaks of the example."""


def unanswered(error: DatabaseError) -> str:
    """What a database said that cannot be used."""
    said = str(error).split("\n", 1)[0].rstrip(".:?")
    return f"The database refuses: {said}. Check DATABASE_URL; if the database is new, run manage.py migrate."


def tenant_named(slug: str) -> Tenant:
    """The tenant of a slug, or Failed with the names there are."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is not None:
        return tenant
    known = list(Tenant.objects.order_by("slug").values_list("slug", flat=True)[:20])
    near = difflib.get_close_matches(slug, known, n=1)
    hint = (
        f"Did you mean '{near[0]}'?" if near else f"There are: {', '.join(known)}." if known else "There are none yet."
    )
    raise Failed(f"There is no tenant '{slug}'. {hint}", returncode=WRONG_NAME)


def text_of(path: str) -> str:
    """The text of a file, or Failed."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise Failed(f"There is no file '{path}'.", returncode=WRONG_NAME) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"The file '{path}' cannot be read: {error}.", returncode=WRONG_NAME) from None


def refuse(problems: Iterable[Problem], *, what: str) -> None:
    """Fail with all problems, a line each."""
    lines = [f"- {problem}" for problem in problems]
    raise Failed("\n".join([f"{what} Nothing was saved. {len(lines)} thing(s) to mend:", *lines]), returncode=REFUSED)


def person_who_may(action: Action, tenant: Tenant, name: str | None) -> User:
    """The person who decides at a terminal, with a role at the tenant that allows it. Raises Failed."""
    person = User.objects.filter(username=name or "", is_active=True).first()
    if person is None:
        raise Failed(f"Nobody has the login '{name or ''}'. Say who decides with --as LOGIN.", returncode=WRONG_NAME)
    if not may(person, action, tenant):
        raise Failed(f"'{person.username}' may not do this at {tenant}: no role of theirs allows it.")
    return person
