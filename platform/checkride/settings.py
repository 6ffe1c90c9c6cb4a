"""All settings, read from the environment. docs/operating/settings.md explains each of them."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import django_stubs_ext
import structlog
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from checkride.embedded import servers
from checkride.embedded.places import ROOT, places
from checkride.lib.environment import BadSetting, Environment

# Lets our annotations say `ModelForm[User]`, which Django itself cannot subscript.
django_stubs_ext.monkeypatch()

env = Environment(os.environ)


def _read() -> dict[str, object]:
    """The values that depend on the mode, checked together."""
    mode = env.choice("CHECKRIDE_MODE", "development", ["development", "production"])
    production = mode == "production"
    port = env.whole("PORT", 8000, least=1, most=65535)
    site_url = env.url(
        "SITE_URL", f"http://localhost:{port}", ["https"] if production else ["http", "https"]
    )
    if production:
        why = "It signs sessions and must be at least 50 random characters, kept secret."
        secret = env.required("SECRET_KEY", why)
        if len(secret) < 50:
            raise BadSetting(f"SECRET_KEY has {len(secret)} characters. {why}")
        database = env.required(
            "DATABASE_URL", "Production needs a PostgreSQL 15 or newer of its own."
        )
        redis = env.required("REDIS_URL", "Production needs a Redis of its own.")
    else:
        secret = env.text("SECRET_KEY", "") or servers.development_secret(where)
        database = env.text("DATABASE_URL", "") or where.database_url
        redis = env.text("REDIS_URL", "") or where.redis_url
    return {
        "production": production,
        "port": port,
        "site_url": site_url,
        "secret": secret,
        "database": database,
        "redis": redis,
    }


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise BadSetting(
            "DATABASE_URL must start with postgresql://. PostgreSQL is the only database: "
            "row locks and the database's clock are part of how exams work."
        )
    name = parts.path.lstrip("/")
    if not name:
        raise BadSetting("DATABASE_URL names no database. Write it as postgresql://user@host/name.")
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", None) or parts.hostname or ""
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": query,
        "TEST": {"NAME": env.text("CHECKRIDE_TEST_DATABASE", f"test_{name}")},
    }


where = places()
try:
    _values = _read()
    _database_settings = _database(str(_values["database"]))
    SESSION_HOURS = env.whole("SESSION_HOURS", 24 * 14, least=1, most=24 * 90)
    LOG_LEVEL = env.choice("LOG_LEVEL", "INFO", ["DEBUG", "INFO", "WARNING", "ERROR"])
    LOG_FORMAT = env.choice(
        "LOG_FORMAT", "json" if _values["production"] else "text", ["json", "text"]
    )
    TRUSTED_PROXIES = env.whole("TRUSTED_PROXIES", 0, least=0, most=5)
    DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "Checkride <no-reply@checkride.example>")
    _mail_url = env.url(
        "MAIL_URL",
        "devbox://" if not _values["production"] else "smtp://localhost:25",
        ["smtp", "smtps", "devbox"],
    )
    SIGNER_SOCKET = Path(env.text("SIGNER_SOCKET", str(where.signer_socket)))
    BOX_WORKERS = env.whole("BOX_WORKERS", 2, least=1, most=64)
    EXAMS_ROOT = Path(env.text("EXAMS_ROOT", str(ROOT / "exams" / "content")))
    RUNS_PER_DAY = env.whole("RUNS_PER_DAY", 60, least=1, most=10_000)
    # Nothing is a value of its own here: no real model.
    MODEL_URL = env.text("MODEL_URL", "") and env.url("MODEL_URL", "", ["http", "https"])
    MODEL_NAME = env.text("MODEL_NAME", "")
    MODEL_KEY = env.text("MODEL_KEY", "")
    MODEL_REPEATS = env.whole("MODEL_REPEATS", 1, least=1, most=10)
    MODEL_SECONDS = env.whole("MODEL_SECONDS", 240, least=5, most=270)
    MODEL_TOKENS = env.whole("MODEL_TOKENS", 200_000, least=1_000, most=10_000_000)
    MODEL_RUNS_PER_DAY = env.whole("MODEL_RUNS_PER_DAY", 3, least=0, most=1_000)
    MODEL_SITE_RUNS_PER_DAY = env.whole("MODEL_SITE_RUNS_PER_DAY", 100, least=0, most=100_000)
    MODEL_CENTS_IN = env.whole("MODEL_CENTS_IN", 0, least=0, most=1_000_000)
    MODEL_CENTS_OUT = env.whole("MODEL_CENTS_OUT", 0, least=0, most=1_000_000)
    MODEL_CENTS_PER_DAY = env.whole("MODEL_CENTS_PER_DAY", 500, least=0, most=10_000_000)
    if MODEL_URL and not MODEL_NAME:
        raise BadSetting("MODEL_URL is set and MODEL_NAME is not. Name the model to ask for.")
    ISSUER_NAME = env.text("ISSUER_NAME", "Checkride")
    ISSUER_EMAIL = env.text("ISSUER_EMAIL", "credentials@checkride.example")
    _allowed_hosts = env.text("ALLOWED_HOSTS", "")
except BadSetting as error:
    # Django's own commands turn ImproperlyConfigured into a traceback; a person needs a sentence.
    if Path(sys.argv[0]).name in {"manage.py", "gunicorn", "celery"}:
        raise SystemExit(f"Checkride cannot start: {error}") from None
    raise ImproperlyConfigured(str(error)) from None

DEVELOPMENT = not _values["production"]
BASE_DIR = ROOT
VAR = where.var
CONTENT_ROOT = ROOT / "courses" / "content"
SITE_URL = str(_values["site_url"])
SITE_HOST = urlsplit(SITE_URL).hostname or ""
PORT = int(str(_values["port"]))

# Django basics ---------------------------------------------------------------------------------

SECRET_KEY = str(_values["secret"])
DEBUG = False
ALLOWED_HOSTS = [SITE_HOST, *(name.strip() for name in _allowed_hosts.split(",") if name.strip())]
if DEVELOPMENT:
    ALLOWED_HOSTS += ["localhost", "127.0.0.1", "[::1]"]
ROOT_URLCONF = "checkride.urls"
WSGI_APPLICATION = "checkride.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["checkride.ui.formats"]

INSTALLED_APPS = [
    "checkride.ui",
    "checkride.accounts.apps.AccountsConfig",
    "checkride.audit",
    "checkride.jobs",
    "checkride.home",
    "courses",
    "exams",
    "credentials",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "checkride.accounts.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    # First: a save is timed from the moment the request arrived (exams.md, save protocol).
    "exams.receipt_clock.ReceiptClockMiddleware",
    "checkride.home.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "checkride.home.headers.SecurityHeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "checkride.home.maintenance.DatabaseAwayMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "checkride.accounts.session_activity.SessionActivityMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "checkride.ui.context.site",
            ],
        },
    }
]

# Data ------------------------------------------------------------------------------------------

DATABASES = {"default": _database_settings}
REDIS_URL = str(_values["redis"])
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "checkride",
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = SESSION_HOURS * 3600

STATIC_URL = "/static/"
STATIC_ROOT = VAR / "static"
MEDIA_ROOT = VAR / "media"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "django.contrib.staticfiles.storage.StaticFilesStorage"
            if DEVELOPMENT
            else "whitenoise.storage.CompressedManifestStaticFilesStorage"
        )
    },
}
WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_AUTOREFRESH = DEVELOPMENT
# Public verification files set their own CORS header; static files need none.
WHITENOISE_ALLOW_ALL_ORIGINS = False

# Jobs ------------------------------------------------------------------------------------------

# The same Redis in the words of Celery's client.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1).replace(
    "?db=", "?virtual_host=", 1
)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# Accounts --------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "courses:today"
LOGOUT_REDIRECT_URL = "home:home"
ACCOUNT_ADAPTER = "checkride.accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "checkride.accounts.forms.SignupForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "checkride.accounts.models.display_name"
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Checkride"
MFA_FORMS = {"add_webauthn": "checkride.accounts.forms.AddPasskeyForm"}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEVELOPMENT
USERSESSIONS_TRACK_ACTIVITY = True

if _mail_url.startswith("devbox"):
    EMAIL_BACKEND = "checkride.accounts.devbox.EmailBackend"
else:
    _mail = urlsplit(_mail_url)
    EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    EMAIL_HOST = _mail.hostname or "localhost"
    EMAIL_PORT = _mail.port or (465 if _mail.scheme == "smtps" else 25)
    EMAIL_HOST_USER = unquote(_mail.username or "")
    EMAIL_HOST_PASSWORD = unquote(_mail.password or "")
    EMAIL_USE_SSL = _mail.scheme == "smtps"
    EMAIL_TIMEOUT = 15

# Browser security (reliability.md, section 1) --------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
PERMISSIONS_POLICY: dict[str, list[str]] = {
    name: []
    for name in (
        "accelerometer",
        "camera",
        "display-capture",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "usb",
    )
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "checkride.home.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [SITE_URL]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
if SITE_URL.startswith("https://"):
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^livez$", r"^readyz$"]
    SECURE_HSTS_SECONDS = int(timedelta(days=730).total_seconds())
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Logs ------------------------------------------------------------------------------------------

_shared: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared,
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
_renderer = (
    structlog.processors.JSONRenderer()
    if LOG_FORMAT == "json"
    # Plain tracebacks: the rich ones print local variables, which may be somebody's answer or secret.
    else structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([structlog.processors.format_exc_info] if LOG_FORMAT == "json" else []),
                _renderer,
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        # A line per request is written by our own middleware, with the request's id.
        "django.request": {"level": "ERROR", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "weasyprint": {"level": "ERROR"},
        "fontTools": {"level": "ERROR"},
    },
}
