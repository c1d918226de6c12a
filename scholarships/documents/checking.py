"""Is this file what it says, small enough, whole and harmless? Everything is looked at before it is parsed,
and parsed only in ``child.py``."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from scholarships.documents.models import Format

CHILD = Path(__file__).with_name("child.py")
SECONDS = 30  # of the clock, for one file
MEGABYTE = 1024 * 1024
PIXELS = 40_000_000
PAGE_WIDTH = 1100  # pixels


@dataclass(frozen=True)
class Limits:
    """``size`` in bytes."""

    size: int = 5 * MEGABYTE
    pages: int = 30
    pixels: int = PIXELS


@dataclass(frozen=True)
class Checked:
    """A file that is taken: where it and its clean copy lie until the caller has stored them."""

    original: Path
    clean: Path
    format: Format
    size: int
    pages: int
    sha256: str


_SIGNATURES = ((Format.PDF, b"%PDF-"), (Format.JPEG, b"\xff\xd8\xff"), (Format.PNG, b"\x89PNG\r\n\x1a\n"))
_EXTENSIONS = {"pdf": Format.PDF, "jpg": Format.JPEG, "jpeg": Format.JPEG, "png": Format.PNG}
_APPLE = (b"ftypheic", b"ftypheix", b"ftypheif", b"ftypmif1", b"ftypmsf1", b"ftyphevc", b"ftypavif")


def refusal(code: str, limits: Limits, **values: Any) -> ValidationError:
    """The sentence for a file that is not taken: what is wrong and what to do."""
    values |= {"most": limits.size // MEGABYTE, "pages": limits.pages, "pixels": limits.pixels // 1_000_000}
    sentences = {
        "empty": _("The file is empty. Choose it again."),
        "size": _("The file is %(has)s. Choose a file smaller than %(most)s MB, or take the photo again at a lower quality."),
        "type": _("This kind of file cannot be taken. Use a PDF, JPG or PNG file."),
        "heic": _(
            "This photo is in the HEIC format of Apple devices, which most offices cannot open. Send it as JPG: choose “Most compatible” in the camera settings, or take a screenshot of it."
        ),
        "mismatch": _("The name says “%(says)s” but the content is something else. Save the file again in its real format."),
        "encrypted": _("The PDF is locked with a password. Save it without the password, or take a photo of each page."),
        "damaged": _("The file is damaged and cannot be opened. Save or scan it again."),
        "pages": _("The PDF has more than %(pages)s pages. Send only the pages that are asked for."),
        "pixels": _("The picture has more than %(pixels)s million pixels. Take it again at a lower resolution."),
        "too_heavy": _("The file is too complicated to be checked. Print it to a new PDF, or take a photo of each page."),
    }
    if code not in sentences:  # the child speaks for a hostile file: its words are not trusted
        code = "too_heavy"
    return ValidationError(sentences[code], code=f"file_{code}", params=values)


@contextmanager
def checked(upload: IO[bytes], name: str, limits: Limits) -> Iterator[Checked]:
    """Check UPLOAD, which its owner calls NAME; within the block the file and its clean copy can be read.

    Raises:
        ValidationError: code ``file_<reason>``, with a sentence of its own for each.
    """
    with TemporaryDirectory(prefix="upload-") as folder:
        original, clean = Path(folder) / "original", Path(folder) / "clean"
        size, sha256 = _write(upload, original, limits)
        kind = _kind(original, name, limits)
        order = {
            "do": "check",
            "source": str(original),
            "format": kind.value,
            "target": str(clean),
            "max_pages": limits.pages,
            "max_pixels": limits.pixels,
        }
        answer = ask_child(order)
        pages = answer.get("pages")
        if "refused" in answer or not isinstance(pages, int) or not 1 <= pages <= limits.pages or not clean.is_file():
            raise refusal(str(answer.get("refused")), limits)
        yield Checked(original, clean, kind, size, pages, sha256)


def _write(upload: IO[bytes], target: Path, limits: Limits) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with target.open("wb") as out:
        while chunk := upload.read(256 * 1024):
            size += len(chunk)
            if size > limits.size:
                raise too_large(getattr(upload, "size", None) or size, limits)
            digest.update(chunk)
            out.write(chunk)
    if size == 0:
        raise refusal("empty", limits)
    return size, digest.hexdigest()


def too_large(size: int, limits: Limits) -> ValidationError:
    return refusal("size", limits, has=f"{size / MEGABYTE:.1f} MB")


def _kind(file: Path, name: str, limits: Limits) -> Format:
    """The format by the content, which must be what the name says."""
    with file.open("rb") as source:
        head = source.read(64)
    extension = name.rpartition(".")[2].lower() if "." in name else ""
    if head[4:12] in _APPLE or extension in {"heic", "heif"}:
        raise refusal("heic", limits)
    kind = next((kind for kind, signature in _SIGNATURES if head.startswith(signature)), None)
    named = _EXTENSIONS.get(extension)
    if named is None:
        raise refusal("type", limits)
    if kind is None or kind != named:
        raise refusal("mismatch", limits, says=extension)
    return kind


def ask_child(order: dict[str, Any]) -> dict[str, Any]:
    """What the child says; that it died or took too long is an answer too. It gets no environment: there are secrets in ours."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(CHILD)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env={"LC_ALL": "C.UTF-8"},
    )
    try:
        out, _err = process.communicate(json.dumps(order).encode() + b"\n", timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return {"refused": "too_heavy"}
    try:
        answer = json.loads(out[-10_000:])
    except (ValueError, RecursionError):
        return {"refused": "too_heavy"}
    return answer if isinstance(answer, dict) else {"refused": "too_heavy"}


def limits_sentence(limits: Limits) -> str:
    """What may be sent, said before it is sent."""
    pages = ngettext("%d page", "%d pages", limits.pages) % limits.pages
    return _("PDF, JPG or PNG up to %(most)d MB and %(pages)s. A phone photo is fine: all four corners visible, no flash.") % {
        "most": limits.size // MEGABYTE,
        "pages": pages,
    }
