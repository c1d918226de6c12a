from django.urls import path

from exchange.nominate import members, views

app_name = "nominate"

urlpatterns = [
    path("", views.lists, name="lists"),
    path("calls/<slug:call>/<slug:body>/", views.ranking, name="list"),
    path("calls/<slug:call>/<slug:body>/send/", views.send, name="send"),
    path("calls/<slug:call>/<slug:body>/take-back/", views.take_back, name="take_back"),
    path("bodies/<slug:body>/members/", members.members, name="members"),
    path("files/<str:code>/", views.file, name="file"),
    path("files/<str:code>/papers/<str:paper>/", views.paper, name="paper"),
    path("files/<str:code>/papers/<str:paper>/pages/<int:number>/", views.page, name="page"),
]
