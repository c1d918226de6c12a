"""Papers are listed for the technician, without their content."""

from django.contrib import admin

from scholarships.documents.models import Document
from scholarships.events.admin import ReadOnlyAdmin


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    list_display = ["code", "kind", "owner", "created_at", "removed_at"]
    list_filter = ["kind"]
    search_fields = ["=code"]
    list_select_related = ["owner"]
