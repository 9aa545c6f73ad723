"""All addresses of the site."""

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

from syncs import health, webhook_door

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("webhooks/<str:public_id>", webhook_door.receive, name="webhook"),
    path("healthz", health.answer, name="healthz"),
    path("healthz/pages", health.pages, name="healthz_pages"),
]
