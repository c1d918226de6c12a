from django.urls import path

from exchange.refer import views

app_name = "refer"

urlpatterns = [
    path("", views.letters, name="letters"),
    path("check/", views.check, name="check"),
    path("declined/", views.declined, name="declined"),
    path("list/<str:key>/", views.requests, name="requests"),
    path("release/<str:key>/", views.release, name="release"),
    path("<str:key>/", views.request_page, name="request"),
    path("<str:key>/letter/", views.letter, name="letter"),
    path("<str:key>/file/", views.file, name="file"),
    path("<str:key>/decline/", views.decline, name="decline"),
]
