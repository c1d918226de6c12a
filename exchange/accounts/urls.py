from django.urls import path

from exchange.accounts import views

app_name = "accounts"

urlpatterns = [
    path("home/", views.home, name="home"),
    path("welcome/", views.welcome, name="welcome"),
    path("profile/", views.profile, name="profile"),
    path("language/", views.language, name="language"),
    path("first-officer/<str:token>/", views.first_officer, name="first_officer"),
]
