from django.urls import path

from exchange.review import views

app_name = "review"

urlpatterns = [
    path("", views.mine, name="mine"),
    path("next/", views.following, name="next"),
    path("<str:code>/", views.file, name="file"),
    path("<str:code>/conflict/", views.conflict, name="conflict"),
    path("<str:code>/papers/<str:paper>/pages/<int:number>/", views.page, name="page"),
]
