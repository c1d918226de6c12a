"""What bodies did: the technician looks."""

from django.contrib import admin

from scholarships.events.admin import ReadOnlyAdmin
from scholarships.nominations.models import Nomination, SentList


@admin.register(Nomination)
class NominationAdmin(ReadOnlyAdmin):
    list_display = ["application", "body", "standing", "rank", "sent_at"]
    list_filter = ["standing"]
    list_select_related = ["application", "body"]


@admin.register(SentList)
class SentListAdmin(ReadOnlyAdmin):
    list_display = ["code", "call", "body", "nominated", "reserve", "sent_at", "by"]
    list_select_related = ["call", "body", "by"]
