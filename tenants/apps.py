"""The tenants app, and the admin site that every page of the product stands on."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        import_module("connector.checks")


class ConnectorAdmin(admin_apps.AdminConfig):
    default = False
    default_site = "tenants.site.ConnectorSite"
