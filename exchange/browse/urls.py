from django.urls import path

from exchange.browse import views

app_name = "browse"

urlpatterns = [
    path("", views.calls, name="calls"),
    path("programmes/", views.programmes, name="programmes"),
    path("calls/<slug:code>/", views.call, name="call"),
    path("calls/<slug:code>/programmes/", views.programmes, name="call_programmes"),
    path("calls/<slug:code>/can-i-apply/", views.can_apply, name="can_apply"),
    path("calls/<slug:code>/can-i-apply/result/", views.verdict, name="verdict"),
    path("help/", views.page, {"name": "help"}, name="help"),
    path("privacy/", views.page, {"name": "privacy"}, name="privacy"),
    path("accessibility/", views.page, {"name": "accessibility"}, name="accessibility"),
]
