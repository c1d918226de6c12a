from django.urls import path

from exchange.notifications import views

app_name = "mail"

urlpatterns = [
    path("healthz", views.alive, name="alive"),
    path("readyz", views.ready, name="ready"),
    path("metrics", views.figures, name="metrics"),
    path("mail/bounces/", views.bounces, name="bounces"),
]
