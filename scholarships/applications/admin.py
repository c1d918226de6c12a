"""Applications change through the one door only: the technician looks."""

from django.contrib import admin

from scholarships.applications.models import Application, Revision, Stage
from scholarships.events.admin import ReadOnlyAdmin


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    list_display = ["code", "call", "state", "level", "country", "submitted_at", "moved_at"]
    list_filter = ["state", "call"]
    search_fields = ["=code"]
    list_select_related = ["call", "country"]
    show_full_result_count = False


@admin.register(Revision)
class RevisionAdmin(ReadOnlyAdmin):
    list_display = ["application", "number", "opened_at", "handed_in_at", "sha256"]
    list_select_related = ["application"]
    show_full_result_count = False


@admin.register(Stage)
class StageAdmin(ReadOnlyAdmin):
    list_display = ["application", "step", "body", "entered_at", "left_at", "outcome"]
    list_select_related = ["application", "body"]
    show_full_result_count = False
