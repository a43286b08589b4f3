import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
application = get_wsgi_application()
# Or the first request of each process would wait a second for all views to be imported.
get_resolver().url_patterns  # noqa: B018
