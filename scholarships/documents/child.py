"""Opens other people's files, alone: a process of its own with little memory and little time.

Run by path with ``python -I``; reads one JSON line on stdin and answers with one on stdout. It
imports nothing of the house. Whatever a hostile file does to it, the parent sees an answer, or
that there was none.

    check  {"source", "format", "target", "max_pages", "max_pixels"} -> {"pages"} or {"refused": code}
    page   {"source", "format", "target", "number", "width"} -> {"width", "height"} or {"refused": code}
    words  {"source", "target"} -> {"letters"} or {"refused": code}

``target`` of *check* is the clean copy: an image re-encoded without metadata; a new PDF into which
only what draws the pages has been copied. ``target`` of *page* is a JPEG, that of *words* plain text.
"""

import json
import os
import re
import resource
import sys
import time

import pikepdf
import pypdfium2
from PIL import Image, ImageOps

MEMORY = 1536 * 1024 * 1024  # bytes of address space
SECONDS = 20  # of processor time
SECONDS_FOR_DRAWING = 8  # of processor time, within which the pages of a new PDF are drawn once
LARGEST_FILE = 64 * 1024 * 1024  # bytes that may be written
LONGEST_SIDE = 3000  # pixels of a clean image
MOST_LETTERS = 60_000  # of the words of a PDF
TALLEST = 20  # how many times as high as wide a page may be


class Refused(Exception):
    """The file is not taken; the message is the code of the reason."""


def limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.umask(0o077)


# -- Images ----------------------------------------------------------------------


def check_image(order: dict) -> dict:
    Image.MAX_IMAGE_PIXELS = None  # counted here, before anything is decoded
    with Image.open(order["source"], formats=["JPEG", "PNG"]) as image:
        if image.width * image.height > order["max_pixels"]:
            raise Refused("pixels")
        if image.width < 8 or image.height < 8:
            raise Refused("damaged")
        image.load()
        upright = opaque(turned(image))
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new("RGB", upright.size)  # a new image carries no metadata along
    clean.paste(upright)
    clean.save(order["target"], "JPEG", quality=85, optimize=True)
    return {"pages": 1}


def turned(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a broken EXIF block says nothing about the picture
        return image


def opaque(image: Image.Image) -> Image.Image:
    """IMAGE in RGB; what is transparent becomes white, and of 16 bits a channel the upper 8 stay."""
    if image.mode.startswith("I"):
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode in ("RGBA", "LA", "PA", "P") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGB", image.size, "white")
        ground.paste(image, mask=image.getchannel("A"))
        return ground
    return image.convert("RGB")


# -- PDF -------------------------------------------------------------------------

# What of a page is copied; everything else of the file (actions, scripts, attachments, forms, comments,
# outlines, names, metadata) stays behind, because nothing that is copied leads there.
PAGE = ("/MediaBox", "/CropBox", "/Rotate", "/UserUnit", "/Group", "/Contents", "/Resources")
INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")
RESOURCES = ("/Font", "/XObject", "/ExtGState", "/ColorSpace", "/Pattern", "/Shading")
# Keys by which the things that draw a page (fonts, pictures, patterns ...) could carry more than that.
BANNED = {
    "/A", "/AA", "/AF", "/Alternates", "/Annots", "/Dest", "/Dests", "/EF", "/EmbeddedFiles", "/JS", "/JavaScript", "/LastModified", "/Launch",
    "/Measure", "/Metadata", "/Names", "/OC", "/OPI", "/OpenAction", "/PS", "/Parent", "/PieceInfo", "/PtData", "/Ref", "/RichMedia", "/StructParent",
    "/StructParents", "/Thumb", "/URI", "/XFA",
}  # fmt: skip
BANNED_IN_STREAMS = {"/F", "/FFilter", "/FDecodeParms"}  # the data would lie in another file


def check_pdf(order: dict) -> dict:
    try:
        with pikepdf.open(order["source"]) as pdf, pikepdf.new() as clean:
            pages = len(pdf.pages)
            if pages == 0 or was_cut(pdf, order["source"]):
                raise Refused("damaged")
            if pages > order["max_pages"]:
                raise Refused("pages")
            try:  # what stands in form fields and comments becomes part of the page
                pdf.generate_appearance_streams()
                pdf.flatten_annotations("print")
            except Exception:  # nothing to flatten, or fields too broken to draw
                pass
            seen: set = set()
            for page in pdf.pages:
                copy = clean.copy_foreign(pdf.make_indirect(bare(page.obj)))
                scrub(clean, copy, seen)
                clean.pages.append(pikepdf.Page(copy))
            clean.save(order["target"], object_stream_mode=pikepdf.ObjectStreamMode.generate, deterministic_id=True)
    except pikepdf.PasswordError as error:
        raise Refused("encrypted") from error
    except pikepdf.PdfError as error:
        raise Refused("encrypted" if "encrypt" in str(error) else "damaged") from error
    draw_all(order["target"])
    return {"pages": pages}


def was_cut(pdf: pikepdf.Pdf, path: str) -> bool:
    """A file whose end is missing can be opened, and would show some of its pages, or blank ones."""
    if not any("reconstruct" in str(warning) for warning in pdf.get_warnings()):
        return False
    with open(path, "rb") as source:
        source.seek(max(0, os.path.getsize(path) - 2048))
        return b"%%EOF" not in source.read()


def bare(page: pikepdf.Dictionary) -> pikepdf.Dictionary:
    """PAGE with what draws it and nothing else; what it inherits is written into it."""
    kept = {"/Type": pikepdf.Name.Page, "/MediaBox": pikepdf.Array([0, 0, 612, 792]), "/Resources": pikepdf.Dictionary()}
    kept |= {key: page[key] for key in PAGE if key in page}
    missing, node = {key for key in INHERITED if key not in page}, page
    for _level in range(100):  # a circle of parents ends here
        node = node.get("/Parent")
        if not missing or not isinstance(node, pikepdf.Dictionary):
            break
        kept |= {key: node[key] for key in missing if key in node}
        missing -= set(node.keys())
    return pikepdf.Dictionary(kept)


def scrub(clean: pikepdf.Pdf, page: pikepdf.Object, seen: set) -> None:
    """Take out of all that PAGE leads to what does not draw it.

    In a dictionary of names (the fonts of a page, say) any key is a name that the page has chosen, so none is banned.
    """
    todo = [(page, "")]
    while todo:
        thing, role = todo.pop()
        if isinstance(thing, pikepdf.Array):
            todo += [(item, "") for item in thing if isinstance(item, pikepdf.Object)]
            continue
        if not isinstance(thing, (pikepdf.Dictionary, pikepdf.Stream)):
            continue
        if thing.is_indirect:
            if (thing.objgen, role) in seen:
                continue
            seen.add((thing.objgen, role))
        if isinstance(thing, pikepdf.Stream):
            strip_picture(clean, thing)
        for key in list(thing.keys()):
            if role != "names" and is_banned(key, role, isinstance(thing, pikepdf.Stream)):
                del thing[key]
            else:
                value = thing.get(key)
                if isinstance(value, pikepdf.Object):
                    todo.append((value, role_of(key, role)))


def is_banned(key: str, role: str, is_stream: bool) -> bool:
    if role == "resources":
        return key not in RESOURCES
    return key in BANNED or (is_stream and key in BANNED_IN_STREAMS)


def role_of(key: str, role: str) -> str:
    if role == "resources" or (role != "names" and key in ("/CharProcs", "/Colorants")):
        return "names"
    return "resources" if role != "names" and key == "/Resources" else ""


# How streams may be packed. What is packed in another way is seen by nobody and could hold anything.
PACKED = {
    "/FlateDecode", "/Fl", "/LZWDecode", "/LZW", "/ASCII85Decode", "/A85", "/ASCIIHexDecode", "/AHx", "/RunLengthDecode", "/RL", "/CCITTFaxDecode",
    "/CCF", "/JBIG2Decode",
}  # fmt: skip


def strip_picture(clean: pikepdf.Pdf, stream: pikepdf.Stream) -> None:
    """Photos lie in a PDF as whole JPEG files, with the place and the camera in them: take that out."""
    filters = stream.get("/Filter", pikepdf.Array())
    names = [str(one) for one in filters] if isinstance(filters, pikepdf.Array) else [str(filters)]
    strips = {"/DCTDecode": jpeg_without_metadata, "/DCT": jpeg_without_metadata, "/JPXDecode": jpx_without_metadata}
    if not set(names[:-1]) <= PACKED or not set(names[-1:]) <= PACKED | strips.keys():
        raise Refused("damaged")
    strip = strips.get(names[-1]) if names else None
    if strip is None:
        return
    parms = stream.get("/DecodeParms")
    parms = list(parms) if isinstance(parms, pikepdf.Array) else [parms]
    data = stream.read_raw_bytes()
    if len(names) > 1:  # the JPEG is packed once more
        packed = pikepdf.Stream(clean, b"")
        packed.write(data, filter=pikepdf.Array(filters[:-1]), decode_parms=pikepdf.Array(parms[:-1]) if len(parms) == len(names) else None)
        data = packed.read_bytes()
    last = parms[-1] if len(parms) == len(names) and isinstance(parms[-1], pikepdf.Dictionary) else None
    stream.write(strip(data), filter=pikepdf.Name(names[-1]), decode_parms=last)


_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])")
_SCAN, _END, _COMMENT, _ADOBE, _JFIF = 0xDA, 0xD9, 0xFE, 0xEE, 0xE0
_PICTURE = {*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}  # frames, tables, scans


def jpeg_without_metadata(data: bytes) -> bytes:
    """JPEG without comments, application segments and whatever follows its end; what colours need stays."""
    if not data.startswith(b"\xff\xd8"):
        raise Refused("damaged")
    kept, at = [b"\xff\xd8"], 2
    while found := _MARKER.search(data, at):
        marker, start = found[1][0], found.end() - 2
        if marker == _END:
            break
        end = found.end() + int.from_bytes(data[found.end() : found.end() + 2])
        segment = data[start:end]
        if marker == _JFIF and segment[4:9] == b"JFIF\0":
            kept.append(b"\xff\xe0\x00\x10" + segment[4:16].ljust(12, b"\0") + b"\0\0")  # without its thumbnail
        elif marker in _PICTURE or (marker == _ADOBE and segment[4:9] == b"Adobe"):
            kept.append(segment)
        elif not (0xE0 <= marker <= 0xEF or marker == _COMMENT):
            raise Refused("damaged")
        at = end
        if marker == _SCAN:
            following = _MARKER.search(data, at)
            at = following.start() if following else len(data)
            kept.append(data[end:at])
    else:
        if b"\xff\xd9" in data:  # a segment reaches over the end of the picture
            raise Refused("damaged")
    return b"".join([*kept, b"\xff\xd9"])


def jpx_without_metadata(data: bytes) -> bytes:
    """JPEG 2000 without its boxes of XML and of private data."""
    if not data.startswith(b"\x00\x00\x00\x0cjP  "):
        return data  # a bare code stream
    kept, at = [], 0
    while at + 8 <= len(data):
        size, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        end = at + size if size >= 8 else len(data)
        if kind not in (b"xml ", b"uuid", b"uinf"):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


# -- Drawing ---------------------------------------------------------------------


def draw_all(path: str) -> None:
    """Draw each page once, small: what cannot be drawn would be a blank page for every reader."""
    pdf = opened(path)
    until = time.process_time() + SECONDS_FOR_DRAWING
    for number in range(len(pdf)):
        if time.process_time() > until:
            return
        draw(pdf, number, 64)


def opened(path: str) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        raise Refused("damaged") from error


def draw(pdf: pypdfium2.PdfDocument, index: int, width: int) -> Image.Image:
    """Page INDEX (from 0), WIDTH pixels wide."""
    try:
        leaf = pdf[index]
        wide, high = leaf.get_size()
        if not (wide > 0 and high > 0) or high / wide > TALLEST:
            raise Refused("damaged")
        drawn = leaf.render(scale=width / wide, may_draw_forms=False).to_pil().convert("RGB")
        leaf.close()
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        raise Refused("damaged") from error
    return drawn


def page(order: dict) -> dict:
    """Draw one page (from 1) as a JPEG of the given width in pixels."""
    if order["format"] == "pdf":
        drawn = draw(opened(order["source"]), order["number"] - 1, order["width"])
    else:
        with Image.open(order["source"], formats=["JPEG"]) as image:
            drawn = image.convert("RGB")
    drawn.thumbnail((order["width"], order["width"] * TALLEST))
    drawn.save(order["target"], "JPEG", quality=80, optimize=True)
    return {"width": drawn.width, "height": drawn.height}


def words(order: dict) -> dict:
    """Write the words of a PDF down, page by page, up to a length that no letter has."""
    pdf, found, length = opened(order["source"]), [], 0
    for number in range(len(pdf)):
        found.append(pdf[number].get_textpage().get_text_bounded()[: MOST_LETTERS - length])
        length += len(found[-1])
        if length >= MOST_LETTERS:
            break
    with open(order["target"], "w", encoding="utf-8", errors="replace") as out:
        out.write("\n".join(found))
    return {"letters": length}


def answer_to(order: dict) -> dict:
    try:
        if order["do"] == "page":
            return page(order)
        if order["do"] == "words":
            return words(order)
        return check_pdf(order) if order["format"] == "pdf" else check_image(order)
    except Refused as reason:
        return {"refused": str(reason)}
    except MemoryError:
        return {"refused": "too_heavy"}
    except Exception:  # whatever a library stumbles over, it is the file
        return {"refused": "damaged"}


def main() -> None:
    order = json.loads(sys.stdin.readline())
    limit()
    print(json.dumps(answer_to(order)), flush=True)


main()
