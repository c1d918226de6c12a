"""All settings, read once from the environment. Development differs by environment, not by module.

With nothing set this is the demo. An https SITE_URL makes it production.
"""

from __future__ import annotations

import time
import warnings
from pathlib import Path
from urllib.parse import quote, urlsplit

from celery.beat import BeatLazyFunc
from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from exchange.environment import (
    Misconfigured,
    address,
    addresses_by_role,
    broker_url,
    database_settings,
    env,
    flag,
    folder,
    mail_settings,
    number,
    port,
    redis_url,
    secret_in,
    site_url,
    socket_in,
)

BASE_DIR = Path(__file__).resolve().parent.parent
VAR = folder("VAR", BASE_DIR / "var")  # everything that is written while running

# -- Where and as what -----------------------------------------------------------
PORT = port("PORT", 8000)
SITE_NAME = env("SITE_NAME", "Sapar")
SITE_URL = site_url(f"http://127.0.0.1:{PORT}")
IS_PRODUCTION = SITE_URL.startswith("https://")
IS_DEMO = not IS_PRODUCTION
DEBUG = flag("DEBUG")
SECRET_KEY = env("SECRET_KEY", "") or (secret_in(VAR) if IS_DEMO else "")

if IS_PRODUCTION:
    if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY.startswith("django-insecure"):
        raise Misconfigured("SITE_URL is https, so this is production: set SECRET_KEY to 50 or more random characters.")
    if DEBUG:
        raise Misconfigured("DEBUG is on, and SITE_URL is https. Switch DEBUG off in production.")

_host = urlsplit(SITE_URL).hostname or ""
ALLOWED_HOSTS = (
    [_host] if IS_PRODUCTION else list(dict.fromkeys(["127.0.0.1", "localhost", "[::1]", _host, *env("ALLOWED_HOSTS", "").split(",")]))
)
ALLOWED_HOSTS = [host for host in ALLOWED_HOSTS if host]
if "*" in ALLOWED_HOSTS:
    raise Misconfigured("ALLOWED_HOSTS must name hosts; “*” would let anybody's host name in.")
CSRF_TRUSTED_ORIGINS = [SITE_URL] if IS_PRODUCTION else []
INTERNAL_IPS = ["127.0.0.1"]

# -- What is installed -----------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_countries",
    "scholarships.events",
    "scholarships.partners",
    "scholarships.people",
    "scholarships.documents",
    "scholarships.programmes",
    "scholarships.schemes",
    "scholarships.calls",
    "scholarships.quotas",
    "scholarships.applications",
    "scholarships.correspondence",
    "scholarships.references",
    "scholarships.nominations",
    "scholarships.reviews",
    "scholarships.allocations",
    "scholarships.offers",
    "exchange.notifications",
    "exchange.accounts",
    "exchange.ui",
    "exchange",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",  # early: the page for a fault further in carries it too
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "exchange.ui.middleware.GzipOfText",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "exchange.ui.middleware.NoNulCharacters",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "exchange.ui.middleware.LanguageOfTheReader",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "exchange.accounts.middleware.RefusedForms",
    "exchange.accounts.middleware.SecondFactorForStaff",
    "exchange.ui.middleware.NothingStored",
]

ROOT_URLCONF = "exchange.urls"
WSGI_APPLICATION = "exchange.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "exchange.ui.context.site",
                *(["exchange.demo.context.bar"] if IS_DEMO else []),
            ],
            "builtins": ["django.templatetags.i18n", "exchange.ui.templatetags.ui"],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_FAIL_SILENTLY = False

# -- Database --------------------------------------------------------------------
# No ATOMIC_REQUESTS and no atomic() around reads: on SQLite every atomic() takes the write lock.
DATABASE_URL = env("DATABASE_URL", "").strip() or f"sqlite:///{quote(str(VAR / 'site.sqlite3'))}"
DATABASES = {"default": database_settings(DATABASE_URL)}
_database = DATABASES["default"]
if _database["ENGINE"].endswith("sqlite3"):
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,  # seconds
        "init_command": (
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000; PRAGMA mmap_size=134217728; "
            "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-20000; PRAGMA temp_store=MEMORY;"
        ),
    }
else:
    _database["CONN_MAX_AGE"] = 0
    _database["OPTIONS"] = {
        **_database.get("OPTIONS", {}),
        # Planning the joins of a page costs PostgreSQL more than running them: a statement is prepared from its third use on.
        "server_side_binding": True,
        "prepare_threshold": 2,
        "pool": {"min_size": 1, "max_size": 8, "timeout": 10},  # seconds
        "options": "-c statement_timeout=5000 -c lock_timeout=3000",  # milliseconds
    }

# -- Redis: doorbell and cache, never a store ------------------------------------
VALKEY_SOCKET = socket_in(VAR)
REDIS_URL = redis_url(f"unix://{quote(str(VALKEY_SOCKET))}?db=0")
CACHES = {
    # Throttle counts live in the database, so that they hold when Redis is down.
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "throttle_counts"},
    "fast": {
        "BACKEND": "exchange.ui.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": env("CELERY_PREFIX", ""),  # two sites on one Redis ring two doorbells
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},  # seconds
    },
}

# -- Celery ----------------------------------------------------------------------
CELERY_BROKER_URL = broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,  # seconds
    "socket_timeout": 1,
    "socket_connect_timeout": 1,
    "max_retries": 1,
    "global_keyprefix": env("CELERY_PREFIX", ""),
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
# A task leaves the queue when it begins, and none is fetched before there is a hand for it: what a killed task leaves undone
# is found by the next sweep, and a worker with unacknowledged tasks does not outlive a Redis that goes away (Celery 5.7
# fails while it puts them back).
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # Redis may be away for a night
CELERY_TASK_TIME_LIMIT = 300  # seconds
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
SWEEP_SECONDS = number("SWEEP_SECONDS", 15)
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR / "beat")
CELERY_BEAT_SCHEDULE = {
    "sweep the outbox": {"task": "notifications.deliver_due", "schedule": SWEEP_SECONDS, "options": {"expires": SWEEP_SECONDS}},
    "heartbeat": {"task": "jobs.heartbeat", "schedule": 30, "args": (BeatLazyFunc(time.time),), "options": {"expires": 120}},
    "announce what has closed": {"task": "jobs.announce_closed", "schedule": 60},
    "publish results": {"task": "jobs.publish_results", "schedule": 60},
    "let unanswered offers lapse": {"task": "jobs.lapse_offers", "schedule": 60},
    "remind of what is due": {"task": "jobs.remind", "schedule": 300},
    "write the daily letters": {"task": "jobs.daily_letters", "schedule": 300},  # each at seven in its reader's morning
    "seal the event log": {"task": "jobs.seal_events", "schedule": 60},
    "forget what is over": {"task": "jobs.forget", "schedule": 3600},
}

# -- Mail ------------------------------------------------------------------------
# Mail leaves by the outbox alone. Without EMAIL_URL the demo keeps every letter in its own mailbox page.
EMAIL_URL = env("EMAIL_URL", "")
MAIL_STAYS_HERE = IS_DEMO and not EMAIL_URL
if EMAIL_URL:
    globals().update(mail_settings(EMAIL_URL))
elif IS_PRODUCTION:
    raise Misconfigured("SITE_URL is https, so this is production: set EMAIL_URL, for example smtp://user:password@host:587/?tls=1.")
MAIL_LEASE_SECONDS = number("MAIL_LEASE_SECONDS", 45)  # for so long a worker owns the letters it has claimed
EMAIL_TIMEOUT = max(1, min(15, MAIL_LEASE_SECONDS // 3))  # seconds
MAIL_PER_MINUTE = number("MAIL_PER_MINUTE", 0)  # over all workers; 0: as fast as the server takes them
MAIL_PER_CONNECTION = max(1, number("MAIL_PER_CONNECTION", 100))
UNDO_SECONDS = number("UNDO_SECONDS", 60 if IS_DEMO else 600)  # so long a release, or results on their way, can be taken back
MAIL_ALL_TO = address("MAIL_ALL_TO")  # a rehearsal: everything goes to this one address, and a banner says so
REPLY_TO = addresses_by_role("REPLY_TO")  # who -> the address that gets the answers; everybody else's go to the office
BOUNCE_TOKEN, METRICS_TOKEN = env("BOUNCE_TOKEN", ""), env("METRICS_TOKEN", "")  # without its token the door is not there
DEFAULT_FROM_EMAIL = env("FROM_EMAIL", f"{SITE_NAME} <no-reply@{_host if '.' in _host and not _host[0].isdigit() else 'sapar.example'}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
OFFICE_EMAIL = env("OFFICE_EMAIL", "office@sapar.example")  # the address that pages and mails name for questions

# -- Signing in ------------------------------------------------------------------
AUTH_USER_MODEL = "people.User"
AUTHENTICATION_BACKENDS = ["exchange.accounts.backends.Backend", "django.contrib.auth.backends.ModelBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "accounts:home"
ACCOUNT_ADAPTER = "exchange.accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1"]  # signing up is closed; without a password here allauth drops it from signing in
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ALLAUTH_USER_CODE_FORMAT = {"numeric": True, "dashed": False, "length": 6}
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 600  # seconds
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = ACCOUNT_EMAIL_VERIFICATION_BY_CODE_MAX_ATTEMPTS = ACCOUNT_PASSWORD_RESET_BY_CODE_MAX_ATTEMPTS = 5
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if IS_PRODUCTION else 0  # the one that ends TLS; without it all visitors would be throttled as one
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_FORMS = {
    "login": "exchange.accounts.forms.PasswordForm",
    "request_login_code": "exchange.accounts.forms.CodeRequestForm",
    "confirm_login_code": "exchange.accounts.forms.CodeForm",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_PRODUCTION else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = SITE_NAME
SECOND_FACTOR_FOR_STAFF = IS_PRODUCTION or flag("SECOND_FACTOR")
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 14 * 24 * 3600  # seconds
SESSION_COOKIE_NAME = "sapar"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "exchange.accounts.passwords.LongEnough"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator", "OPTIONS": {"user_attributes": ["email", "name"]}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# -- Security headers ------------------------------------------------------------
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = IS_PRODUCTION
CSRF_COOKIE_SECURE = IS_PRODUCTION
CSRF_FAILURE_VIEW = "exchange.ui.errors.csrf_failure"
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_HSTS_PRELOAD = IS_PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if IS_PRODUCTION else None
SILENCED_SYSTEM_CHECKS = ["account.W001"]

# -- Languages and time ----------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Chinese")), ("ru", _("Russian"))]
LANGUAGE_COOKIE_NAME = "language"
LOCALE_PATHS = [BASE_DIR / "exchange" / "locale"]
USE_I18N = True
FORMAT_MODULE_PATH = ["exchange.locale"]
TIME_ZONE = "UTC"
USE_TZ = True
COUNTRIES_OVERRIDE = {"TW": _("Taiwan, China"), "HK": _("Hong Kong, China"), "MO": _("Macao, China")}

# -- Files -----------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR / "static"
warnings.filterwarnings("ignore", message="No directory at: ")  # runserver needs none, and WhiteNoise complains of it
STATICFILES_DIRS = [BASE_DIR / "exchange" / "static"]
WHITENOISE_USE_FINDERS = not flag("STATIC_BUILT")
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = VAR / "files"  # outside the web root: every file is served by a view that asks who reads
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": MEDIA_ROOT}},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if flag("STATIC_BUILT")
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_HANDLERS = [
    "exchange.ui.uploads.LimitedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
FILE_UPLOAD_MAX_MEMORY_SIZE = 1 * 1024 * 1024  # bytes; larger uploads go to a temporary file at once
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # bytes of a form without its files
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# -- Logs: ids, never contents ---------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"without keys": {"()": "exchange.logs.WithoutKeys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["without keys"]}},
    # Django's own server writes its lines past the root: they hold addresses too.
    "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", "WARNING")},
}
