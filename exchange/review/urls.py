"""(being built)"""

from django.http import HttpResponse
from django.urls import path

app_name = "review"


def v(request, **k):
    return HttpResponse("soon")


v.rule = ("everybody",)
urlpatterns = [path("", v, name="mine"), path("files/<str:code>/", v, name="file")]
