"""No upload fills the disk: what is larger than any call allows is read past, not kept."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest

from scholarships.documents.checking import Limits, too_large

LARGEST = 25 * 1024 * 1024  # bytes


def oversize_of(request: HttpRequest, limits: Limits) -> ValidationError | None:
    """What to say of a file of REQUEST that was so large that it was not kept; None where there was none."""
    oversized = getattr(request, "oversized", 0)
    return too_large(max(oversized, LARGEST), limits) if oversized else None


class LimitedUpload(FileUploadHandler):
    """Drops a file at its 25th megabyte; ``request.oversized`` then says how large the request was."""

    def handle_raw_input(
        self, input_data: Any, META: dict[str, Any], content_length: int, boundary: bytes, encoding: str | None = None
    ) -> None:
        self.length = content_length

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.received += len(raw_data)
        if self.received > LARGEST:
            self.request.oversized = max(self.length, self.received)  # type: ignore[union-attr]
            raise SkipFile
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
