from django.urls import path

from exchange.apply.views import applications, documents, letters, offers, sections

app_name = "apply"

urlpatterns = [
    path("", applications.mine, name="mine"),
    path("library/", documents.library, name="library"),
    path("library/opened/", documents.opened, name="opened"),
    path("library/<str:paper>/file/", documents.download, name="file"),
    path("library/<str:paper>/pages/<int:number>/", documents.page, name="page"),
    path("library/<str:paper>/remove/", documents.remove, name="remove"),
    path("start/<slug:code>/", applications.start, name="start"),
    path("<str:code>/", applications.tasks, name="tasks"),
    path("<str:code>/sections/<str:key>/", sections.section, name="section"),
    path("<str:code>/sections/<str:key>/<str:group>/add/", sections.entry, name="entry_add"),
    path("<str:code>/sections/<str:key>/<str:group>/<int:number>/", sections.entry, name="entry"),
    path("<str:code>/choices/", sections.choices, name="choices"),
    path("<str:code>/documents/", documents.documents, name="documents"),
    path("<str:code>/letters/", letters.letters, name="letters"),
    path("<str:code>/letters/<str:reference>/", letters.letter, name="letter"),
    path("<str:code>/check/", applications.check, name="check"),
    path("<str:code>/receipt/", applications.receipt, name="receipt"),
    path("<str:code>/status/", applications.status, name="status"),
    path("<str:code>/change/", applications.change, name="change"),
    path("<str:code>/withdraw/", applications.withdraw, name="withdraw"),
    path("<str:code>/reopen/", applications.reopen, name="reopen"),
    path("<str:code>/result/", offers.result, name="result"),
]
