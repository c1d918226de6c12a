"""(being built)"""

from django.http import HttpResponse
from django.urls import path

app_name = "nominate"


def v(request, **k):
    return HttpResponse("soon")


v.rule = ("everybody",)
urlpatterns = [path("", v, name="lists"), path("files/<str:code>/", v, name="file")]
