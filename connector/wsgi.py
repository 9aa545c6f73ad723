"""WSGI entry point for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from connector.logs import mask_server_logs

mask_server_logs()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "connector.settings")
application = get_wsgi_application()
