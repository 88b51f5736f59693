# This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0. If a copy
# of the MPL was not distributed with this file, You can obtain one at https://mozilla.org/MPL/2.0/.

"""Django's settings, all of them from `socorro.settings`; importing this writes nothing."""

from functools import cache
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.functional import lazy

from socorro.settings import Settings, load, secret_key
from webapp.database import django_database


def allowed_hosts(settings: Settings) -> list[str]:
    """Return the names a browser may ask for: this machine, the configured address, and more."""
    configured = {urlsplit(settings.webapp_address).hostname or "", settings.webapp_host}
    # Listening on all addresses says nothing about the name that a browser uses.
    names = (configured | {"localhost", "127.0.0.1", "::1"}) - {"", "0.0.0.0", "::"}  # noqa: S104
    bracketed = sorted(f"[{name}]" if ":" in name else name for name in names)
    return bracketed + list(settings.allowed_hosts)


SOCORRO = load()
_HTTPS = SOCORRO.webapp_address.startswith("https://")

DEBUG = SOCORRO.debug
# Lazy, since reading it makes the key at first use, and importing settings must not write a file.
SECRET_KEY = lazy(cache(secret_key), str)(SOCORRO)
ALLOWED_HOSTS = allowed_hosts(SOCORRO)
DATABASES = {"default": django_database(SOCORRO)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ROOT_URLCONF = "webapp.urls"
WSGI_APPLICATION = "webapp.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "csp",
    "webapp.crashstats",
    "cron",
]
MIDDLEWARE = [
    "webapp.observe.measure",
    # Before everything that looks at the Host header: load balancers ask by address.
    "webapp.health.answer_health_checks",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "webapp.static_files.HashedStaticMiddleware",
    "webapp.sessions.Sessions",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.csrf",
                "webapp.crashstats.context.site",
            ],
        },
    }
]

USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# Logging, metrics and Sentry are set up by `webapp.wsgi`, as every other process does it.
LOGGING_CONFIG = None

LOGIN_URL = "crashstats:login"
LOGIN_REDIRECT_URL = "crashstats:home"
LOGOUT_REDIRECT_URL = "crashstats:home"

STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "webapp.static_files.HashedStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

SESSION_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = _HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "webapp.crashstats.views.errors.csrf_failure"
# Behind a proxy that ends TLS, the origin of a form is the public address.
CSRF_TRUSTED_ORIGINS = [SOCORRO.webapp_address] if SOCORRO.webapp_url else []
SECURE_HSTS_SECONDS = 365 * 86400 if _HTTPS else 0
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
