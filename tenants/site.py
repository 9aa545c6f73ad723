"""The admin site."""

from django.contrib.admin import AdminSite


class ConnectorSite(AdminSite):
    site_header = "QAD–Chargebee connector"
    site_title = "QAD–Chargebee connector"
    index_title = "Overview"
    enable_nav_sidebar = True
