"""Opens other people's files, alone: a process of its own with little memory and little time.

Run by path with ``python -I``; reads one JSON line on stdin and answers with one on stdout. It
imports nothing of the house. Whatever a hostile file does to it, the parent sees an answer, or
that there was none.

    check  {"source", "format", "target", "max_pages", "max_pixels"} -> {"pages"} or {"refused": code}
    page   {"source", "format", "target", "number", "width"} -> {"width", "height"} or {"refused": code}

``target`` of *check* is the clean copy: an image re-encoded without metadata, a PDF rewritten
without Info, XMP, attachments, scripts, actions and forms. ``target`` of *page* is a JPEG.
"""

import json
import resource
import sys

import pikepdf
import pypdfium2
from PIL import Image, ImageOps, UnidentifiedImageError

MEMORY = 1536 * 1024 * 1024  # bytes of address space
SECONDS = 20  # of processor time
LARGEST_FILE = 64 * 1024 * 1024  # bytes that may be written
LONGEST_SIDE = 3000  # pixels of a clean image


class Refused(Exception):
    """The file is not taken; the message is the code of the reason."""


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def check_image(order: dict) -> dict:
    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    try:
        with Image.open(order["source"], formats=["JPEG", "PNG"]) as image:
            if image.width * image.height > order["max_pixels"]:
                raise Refused("pixels")
            if image.width < 8 or image.height < 8:
                raise Refused("damaged")
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode in ("RGBA", "LA", "P"):
                upright = upright.convert("RGBA")
                ground = Image.new("RGB", upright.size, "white")
                ground.paste(upright, mask=upright.getchannel("A"))
                upright = ground
            upright = upright.convert("RGB")
            upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
            clean = Image.new("RGB", upright.size)  # a new image carries no metadata along
            clean.paste(upright)
            clean.save(order["target"], "JPEG", quality=85, optimize=True)
    except Refused:
        raise
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise Refused("damaged") from error
    return {"pages": 1}


# Keys under which a PDF carries actions, scripts, attachments, metadata and private data.
BANNED = (
    "/AA", "/OpenAction", "/JS", "/JavaScript", "/EmbeddedFiles", "/EF", "/AF", "/Metadata", "/PieceInfo", "/Collection", "/AcroForm", "/XFA",
    "/RichMedia", "/Launch", "/SubmitForm", "/ImportData", "/Outlines", "/Names", "/Dests", "/Legal", "/Perms", "/DSS", "/StructTreeRoot", "/Thumb", "/LastModified",
)  # fmt: skip


def check_pdf(order: dict) -> dict:
    try:
        with pikepdf.open(order["source"]) as pdf:
            pages = len(pdf.pages)
            if pages == 0:
                raise Refused("damaged")
            if pages > order["max_pages"]:
                raise Refused("pages")
            try:  # what stands in form fields and comments becomes part of the page
                pdf.generate_appearance_streams()
                pdf.flatten_annotations("print")
            except Exception:  # nothing to flatten, or fields too broken to draw
                pass
            for thing in pdf.objects:
                if isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
                    for key in BANNED:
                        if key in thing and not (key == "/Names" and "/Type" in thing and str(thing["/Type"]) == "/Font"):
                            del thing[key]
            for key in BANNED:
                if key in pdf.Root:
                    del pdf.Root[key]
            for page in pdf.pages:
                if "/Annots" in page:
                    del page["/Annots"]
            if "/Info" in pdf.trailer:
                del pdf.trailer["/Info"]
            pdf.save(
                order["target"], object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True, fix_metadata_version=False
            )
    except Refused:
        raise
    except pikepdf.PasswordError as error:
        raise Refused("encrypted") from error
    except (pikepdf.PdfError, ValueError, TypeError, RuntimeError, OSError, KeyError, IndexError) as error:
        raise Refused("damaged") from error
    return {"pages": pages}


def page(order: dict) -> dict:
    """Draw one page (from 1) as a JPEG of the given width in pixels."""
    if order["format"] != "pdf":
        with Image.open(order["source"], formats=["JPEG", "PNG"]) as image:
            drawn = image.convert("RGB")
    else:
        try:
            pdf = pypdfium2.PdfDocument(order["source"])
            leaf = pdf[order["number"] - 1]
            wide, high = leaf.get_size()
            if wide <= 0 or high <= 0 or high / wide > 20:
                raise Refused("damaged")
            drawn = leaf.render(scale=order["width"] / wide, may_draw_forms=False).to_pil().convert("RGB")
        except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
            raise Refused("damaged") from error
    drawn.thumbnail((order["width"], order["width"] * 20))
    drawn.save(order["target"], "JPEG", quality=80, optimize=True)
    return {"width": drawn.width, "height": drawn.height}


def main() -> None:
    order = json.loads(sys.stdin.readline())
    limit()
    try:
        if order["do"] == "page":
            answer = page(order)
        else:
            answer = check_pdf(order) if order["format"] == "pdf" else check_image(order)
    except Refused as reason:
        answer = {"refused": str(reason)}
    except MemoryError:
        answer = {"refused": "too_heavy"}
    print(json.dumps(answer), flush=True)


main()
