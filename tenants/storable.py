"""A form with a character that no database stores is answered with a sentence before any page reads it."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest

ANSWER = "The form holds a character that cannot be stored (NUL). Go back, type that field anew and send it again."


class Storable:
    """Middleware of the admin's forms. What webhooks send is not read here: its door keeps it as it came."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._next = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method == "POST" and request.path.startswith("/admin/") and _has_nul(request):
            return HttpResponseBadRequest(ANSWER, content_type="text/plain")
        return self._next(request)


def _has_nul(request: HttpRequest) -> bool:
    return any("\0" in value for _, values in request.POST.lists() for value in values)
