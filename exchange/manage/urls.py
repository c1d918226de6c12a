"""(being built)"""

from django.http import HttpResponse
from django.urls import path

app_name = "manage"


def v(request, **k):
    return HttpResponse("soon")


v.rule = ("everybody",)
urlpatterns = [
    path("", v, name="applications"),
    path("calls/", v, name="calls"),
    path("outbox/", v, name="outbox"),
    path("applications/<str:code>/", v, name="record"),
    path("calls/<str:code>/", v, name="call"),
]
