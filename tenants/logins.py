"""How logins are slowed down and how they end: too many wrong passwords, half an hour of silence, half a day."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth import logout
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse

_BEGAN, _SEEN = "began_at", "seen_at"
_SEEN_EVERY = 30  # seconds between two notes of activity, so that not each request writes


class LoginForm(AdminAuthenticationForm):
    """Members need no staff flag; who belongs to no tenant is told so after signing in."""

    def confirm_login_allowed(self, user: Any) -> None:
        AuthenticationForm.confirm_login_allowed(self, user)

    def get_invalid_login_error(self) -> ValidationError:
        if not getattr(self.request, "axes_locked_out", False):
            return super().get_invalid_login_error()
        minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
        return ValidationError(
            f"Too many wrong passwords for this name from your address. Wait {minutes} minutes, then try again.",
            code="locked_out",
        )


def locked_out(request: HttpRequest, response: HttpResponse, credentials: dict[str, Any] | None) -> HttpResponse:
    """The login page with its sentence, under the status of one who asks too often."""
    response.status_code = 429
    return response


class SessionEnds:
    """Logs out after half an hour without a request, and half a day after the login whatever happens."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            began, seen = request.session.get(_BEGAN, now), request.session.get(_SEEN, now)
            if now - seen > settings.SESSION_IDLE_SECONDS or now - began > settings.SESSION_COOKIE_AGE:
                logout(request)
                messages.info(
                    request, "You were logged out: the last login is too long ago, or nothing was done for a while."
                )
            elif _BEGAN not in request.session or now - seen >= _SEEN_EVERY:
                request.session[_BEGAN], request.session[_SEEN] = began, now
        return self._get_response(request)
