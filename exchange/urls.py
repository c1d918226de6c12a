"""Every address of the site: one line a room."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("exchange.browse.urls")),
    path("apply/", include("exchange.apply.urls")),
    path("refer/", include("exchange.refer.urls")),
    path("nominate/", include("exchange.nominate.urls")),
    path("review/", include("exchange.review.urls")),
    path("manage/", include("exchange.manage.urls")),
    path("inbox/", include("exchange.inbox.urls")),
    path("", include("exchange.notifications.urls")),
    path("accounts/", include("exchange.accounts.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("admin/", admin.site.urls),
]

if settings.IS_DEMO:
    urlpatterns += [path("demo/", include("exchange.demo.urls"))]

handler400 = "exchange.ui.errors.bad_request"
handler403 = "exchange.ui.errors.forbidden"
handler404 = "exchange.ui.errors.not_found"
handler500 = "exchange.ui.errors.server_error"
