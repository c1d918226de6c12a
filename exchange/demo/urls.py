from django.urls import path

from exchange.demo import views

app_name = "demo"

urlpatterns = [
    path("switch/", views.switch, name="switch"),
    path("mailbox/", views.mailbox, name="mailbox"),
    path("mailbox/<str:message>/", views.letter, name="letter"),
]
