"""Who reviews what; scores and comments are for the officers' pages."""

from django.contrib import admin

from scholarships.events.admin import ReadOnlyAdmin
from scholarships.reviews.models import Assignment


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyAdmin):
    list_display = ["code", "application", "reviewer", "progress", "assigned_at"]
    list_filter = ["progress"]
    list_select_related = ["application", "reviewer"]
