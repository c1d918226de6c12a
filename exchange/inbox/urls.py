from django.urls import path

from exchange.inbox.views import messages, threads, wishes

app_name = "inbox"

urlpatterns = [
    path("", messages.inbox, name="inbox"),
    path("read/", messages.read_all, name="read_all"),
    path("messages/<str:code>/", messages.message, name="message"),
    path("threads/<str:code>/", threads.thread, name="thread"),
    path("threads/<str:code>/papers/<str:paper>/", threads.paper, name="paper"),
    path("preferences/", wishes.preferences, name="preferences"),
    path("unsubscribe/<str:token>/", wishes.unsubscribe, name="unsubscribe"),
]
