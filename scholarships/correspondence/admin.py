"""Who wrote when; what was written is for the two sides of the thread."""

from django.contrib import admin

from scholarships.correspondence.models import Post
from scholarships.events.admin import ReadOnlyAdmin


@admin.register(Post)
class PostAdmin(ReadOnlyAdmin):
    list_display = ["code", "application", "by_office", "at"]
    list_filter = ["by_office"]
    list_select_related = ["application"]
    search_fields = ["=code", "=application__code"]
    fields = ["code", "application", "author", "by_office", "at"]
