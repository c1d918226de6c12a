from django.urls import path

from exchange.manage.views import applications, calls, letters, offers, outbox, places, records, references, reviewers

app_name = "manage"

urlpatterns = [
    path("", applications.home, name="home"),
    path("applications/", applications.applications, name="applications"),
    path("applications/bulk/", applications.bulk, name="bulk"),
    path("applications/<str:code>/", records.record, name="record"),
    path("applications/<str:code>/eligibility/", records.eligibility, name="eligibility"),
    path("applications/<str:code>/return/", records.give_back, name="return"),
    path("applications/<str:code>/reviewers/", reviewers.reviewers, name="reviewers"),
    path("applications/<str:code>/papers/<str:paper>/", records.paper, name="paper"),
    path("applications/<str:code>/papers/<str:paper>/pages/<int:number>/", records.page, name="page"),
    path("applications/<str:code>/references/<str:reference>/", references.reference, name="reference"),
    path("applications/<str:code>/references/<str:reference>/pages/<int:number>/", references.reference_page, name="reference_page"),
    path("calls/", calls.calls, name="calls"),
    path("calls/<slug:code>/", calls.call, name="call"),
    path("calls/<slug:code>/dates/", calls.dates, name="dates"),
    path("calls/<slug:code>/letters/", letters.letters, name="letters"),
    path("calls/<slug:code>/letters/<str:letter>/<str:language>/", letters.letter, name="letter"),
    path("calls/<slug:code>/reviewers/", reviewers.evenly, name="evenly"),
    path("calls/<slug:code>/places/", places.places, name="places"),
    path("calls/<slug:code>/places/run/", places.run, name="run"),
    path("calls/<slug:code>/places/<str:run>/confirm/", places.confirm, name="confirm"),
    path("calls/<slug:code>/places/<str:run>/<str:name>.json", places.file, name="file"),
    path("calls/<slug:code>/publish/", places.publish, name="publish"),
    path("calls/<slug:code>/offers/", offers.offers, name="offers"),
    path("calls/<slug:code>/offers/<str:offer>/lapse/", offers.lapse, name="lapse"),
    path("outbox/", outbox.outbox, name="outbox"),
    path("outbox/catalogue/", letters.catalogue, name="catalogue"),
    path("outbox/retry/", outbox.retry, name="retry"),
    path("outbox/<str:message>/", outbox.message, name="message"),
]
