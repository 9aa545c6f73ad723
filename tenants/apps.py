"""The tenants app, and the admin site that every page of the product stands on."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"


class ConnectorAdmin(admin_apps.AdminConfig):
    default = False
    default_site = "tenants.site.ConnectorSite"
