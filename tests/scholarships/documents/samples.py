"""Files as people send them, and as somebody would who means harm. All are made here; none lies about as a file."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String
from PIL import Image

SECRET = b"SECRET-THAT-MUST-NOT-GET-THROUGH"
WORD = SECRET.decode()


# -- Pictures --------------------------------------------------------------------


def image(kind: str = "JPEG", size: tuple[int, int] = (60, 40), mode: str = "RGB", color: Any = "white", **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, color).save(out, kind, **options)
    return out.getvalue()


def photo_with_place() -> bytes:
    """A JPEG that says where and with what it was taken, lies on its side, and carries a comment and a thumbnail."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it
    exif[0x010F] = WORD  # maker of the camera
    exif.get_ifd(0x8825).update({1: "N", 2: (42.0, 52.0, 30.0), 3: "E", 4: (74.0, 36.0, 0.0)})
    picture = Image.new("RGB", (60, 40), "white")
    picture.paste("red", (0, 0, 20, 40))
    out = io.BytesIO()
    picture.save(out, "JPEG", exif=exif, comment=SECRET, xmp=b"<x>" + SECRET + b"</x>")
    return out.getvalue() + SECRET


def png_bomb(wide: int = 50_000, high: int = 50_000) -> bytes:
    """A PNG of some hundred bytes that says it has 2,500 million pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", wide, high, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(bytes(1000)))
        + chunk(b"IEND", b"")
    )


def png_with_words() -> bytes:
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("Author", WORD)
    info.add_itxt("XML:com.adobe.xmp", f"<x>{WORD}</x>")
    return image("PNG", pnginfo=info)


HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)


def zipped() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("evil.exe", SECRET)
    return out.getvalue()


# -- PDF -------------------------------------------------------------------------


def pdf(change: Callable[[Pdf], None] | None = None, *, pages: int = 1, text: str = "A page", **save: Any) -> bytes:
    """A PDF with a line of text on each page; CHANGE does something to it before it is saved."""
    made = pikepdf.new()
    font = made.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))
    for number in range(pages):
        content = f"BT /F1 24 Tf 72 720 Td ({text} {number + 1}) Tj ET 72 600 200 50 re f".encode()
        page = Dictionary(
            Type=Name.Page,
            MediaBox=[0, 0, 612, 792],
            Contents=made.make_stream(content),
            Resources=Dictionary(Font=Dictionary(F1=font)),
        )
        made.pages.append(pikepdf.Page(page))
    if change:
        change(made)
    out = io.BytesIO()
    made.save(out, **save)
    return out.getvalue()


def secret_stream(made: Pdf, **keys: Any) -> Stream:
    return made.make_stream(SECRET, **keys)


def script(made: Pdf) -> Any:
    return made.make_indirect(Dictionary(S=Name.JavaScript, JS=String(f"app.alert('{WORD}')")))


def armed(made: Pdf) -> None:
    """Every way in which a PDF carries more than its pages, direct and indirect, at every depth."""
    page = made.pages[0].obj
    attachment = Dictionary(Type=Name.Filespec, F=String(WORD), EF=Dictionary(F=secret_stream(made, Type=Name.EmbeddedFile)))
    made.Root.OpenAction = script(made)
    made.Root.AA = Dictionary(WC=script(made))
    made.Root.Names = Dictionary(
        JavaScript=Dictionary(Names=Array([String("start"), script(made)])),
        EmbeddedFiles=Dictionary(Names=Array([String(WORD), made.make_indirect(attachment)])),
        Dests=Dictionary(Names=Array([String(WORD), Array([page, Name.Fit])])),
    )
    made.Root.AF = Array([attachment])
    made.Root.Metadata = secret_stream(made, Type=Name.Metadata, Subtype=Name.XML)
    made.Root.PieceInfo = Dictionary(App=Dictionary(Private=String(WORD)))
    made.Root.Outlines = made.make_indirect(
        Dictionary(Type=Name.Outlines, First=made.make_indirect(Dictionary(Title=String(WORD), A=script(made))))
    )
    made.Root.AcroForm = Dictionary(
        Fields=Array([]), XFA=Array([String("template"), secret_stream(made)]), DR=Dictionary(Private=String(WORD))
    )
    made.Root.StructTreeRoot = made.make_indirect(
        Dictionary(Type=Name.StructTreeRoot, K=Dictionary(Alt=String(WORD), AF=Array([attachment])))
    )
    made.Root.Collection = Dictionary(Schema=Dictionary(N=String(WORD)))
    made.Root.URI = Dictionary(Base=String(WORD))
    made.Root.OCProperties = Dictionary(OCGs=Array([made.make_indirect(Dictionary(Type=Name.OCG, Name=String(WORD)))]))
    made.Root.Private = Dictionary(Deep=Dictionary(Deeper=Array([Dictionary(JS=String(WORD))])))
    made.docinfo = made.make_indirect(Dictionary(Author=String(WORD), Title=String(WORD)))
    page.AA = Dictionary(O=script(made))
    page.Metadata = secret_stream(made)
    page.PieceInfo = Dictionary(App=Dictionary(Private=String(WORD)))
    page.Thumb = secret_stream(made)
    page.LastModified = String(WORD)
    page.Annots = Array(
        [
            Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 100, 100], A=script(made)),
            made.make_indirect(Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, Rect=[0, 0, 9, 9], FS=attachment)),
            Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=[0, 0, 9, 9], A=Dictionary(S=Name.Launch, F=String(WORD))),
            Dictionary(Type=Name.Annot, Subtype=Name.Text, Rect=[0, 0, 9, 9], Contents=String(WORD), NM=String(WORD)),
        ]
    )
    page.B = Array([Dictionary(T=String(WORD))])
    page.VP = Array([Dictionary(Measure=Dictionary(GPTS=String(WORD)))])
    page.SecretKey = Dictionary(JS=String(WORD))
    _armed_resources(made, page)


def _armed_resources(made: Pdf, page: Any) -> None:
    """What hides in fonts, pictures and forms: these are copied, so that they must be cleaned from within."""
    form = made.make_stream(
        b"0 0 50 50 re f",
        Type=Name.XObject,
        Subtype=Name.Form,
        BBox=[0, 0, 50, 50],
        Metadata=secret_stream(made),
        PieceInfo=Dictionary(App=Dictionary(Private=String(WORD))),
        LastModified=String(WORD),
        Ref=Dictionary(F=Dictionary(F=String(WORD)), Page=0),
        AF=Array([Dictionary(F=String(WORD))]),
        OPI=Dictionary(F=String(WORD)),
        Resources=Dictionary(
            Properties=Dictionary(MC0=Dictionary(Metadata=secret_stream(made))),
            ExtGState=Dictionary(GS=Dictionary(Type=Name.ExtGState, Nested=Dictionary(JS=String(WORD)))),
        ),
    )
    page.Resources.XObject = Dictionary(JS=form)
    page.Resources.Properties = Dictionary(MC0=made.make_indirect(Dictionary(Private=String(WORD))))
    page.Resources.SecretPart = Dictionary(Private=String(WORD))
    page.Resources.Font.F1.Metadata = secret_stream(made)
    page.Resources.Font.F1.AA = Dictionary(O=script(made))
    page.Contents = made.make_stream(page.Contents.read_bytes() + b" q 1 0 0 1 300 300 cm /JS Do Q")


def pdf_with_photo(*, packed: str = "", encode: Callable[[bytes], bytes] = bytes) -> bytes:
    """A page that is a phone photo, with its place and camera, as apps make it; PACKED names one more filter around it."""
    photo = photo_with_place()

    def put(made: Pdf) -> None:
        page = made.pages[0].obj
        filters: Any = Array([Name(packed), Name.DCTDecode]) if packed else Name.DCTDecode
        picture = Stream(made, b"")
        picture.write(encode(photo), filter=filters)
        for key, value in {"Type": Name.XObject, "Subtype": Name.Image, "Width": 60, "Height": 40, "ColorSpace": Name.DeviceRGB}.items():
            picture[f"/{key}"] = value
        picture.BitsPerComponent = 8
        page.Resources.XObject = Dictionary(Im0=made.make_indirect(picture))
        page.Contents = made.make_stream(b"q 600 0 0 400 6 300 cm /Im0 Do Q")

    return pdf(put)


def pdf_with_a_filled_form() -> bytes:
    """A form of which one field is filled in: what was typed must stay readable on the page."""

    def fill(made: Pdf) -> None:
        page = made.pages[0].obj
        made.Root.AcroForm = Dictionary(
            DA=String("/Helv 0 Tf 0 g"),
            DR=Dictionary(Font=Dictionary(Helv=Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica))),
            NeedAppearances=True,
        )
        field = made.make_indirect(
            Dictionary(
                Type=Name.Annot, Subtype=Name.Widget, FT=Name.Tx, T=String("name"), V=String("WRITTEN"), DA=String("/Helv 40 Tf 0 g"),
                Rect=[50, 50, 500, 150], F=4, P=page, AA=Dictionary(K=script(made)),
            )
        )  # fmt: skip
        made.Root.AcroForm.Fields = Array([field])
        page.Annots = Array([field])

    return pdf(fill)


def raw_pdf(*objects: bytes, root: int = 1) -> bytes:
    """A PDF written by hand: OBJECTS are 1, 2, 3 ..."""
    parts, places, at = [b"%PDF-1.7\n"], [], 9
    for number, body in enumerate(objects, start=1):
        places.append(at)
        parts.append(b"%d 0 obj\n%s\nendobj\n" % (number, body))
        at += len(parts[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, table))
    parts.append(b"trailer << /Size %d /Root %d 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, root, at))
    return b"".join(parts)


def circle_of_pages() -> bytes:
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 3 0 R >>",
        b"<< /Type /Pages /Kids [2 0 R] /Count 1 /Parent 2 0 R >>",
    )


def circle_of_parents() -> bytes:
    """One page whose parents go round for ever, so that what it inherits is never found."""
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /Parent 4 0 R >>",
        b"<< /Type /Page /Parent 4 0 R >>",
        b"<< /Type /Pages /Kids [] /Count 0 /Parent 2 0 R >>",
    )


def tower_of_pages(levels: int = 50_000) -> bytes:
    tower = [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 3) for number in range(levels)]
    return raw_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", *tower, b"<< /Type /Page /MediaBox [0 0 9 9] >>")


def tower_of_brackets(levels: int = 100_000) -> bytes:
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font " + b"[" * levels + b"]" * levels + b" >> >>",
    )


def chain_of_forms(links: int = 20_000) -> bytes:
    """A form that draws a form that draws a form ..."""
    forms = [
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X %d 0 R >> >> /Length 5 >>\nstream\n/X Do\nendstream"
        % (number + 6)
        for number in range(links)
    ]
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /XObject << /X 5 0 R >> >> >>",
        b"<< /Length 5 >>\nstream\n/X Do\nendstream",
        *forms,
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 9 9] /Length 0 >>\nstream\n\nendstream",
    )


def circle_of_forms() -> bytes:
    def knot(made: Pdf) -> None:
        form = made.make_stream(b"/X Do", Type=Name.XObject, Subtype=Name.Form, BBox=[0, 0, 600, 700])
        form.Resources = Dictionary(XObject=Dictionary(X=form))
        page = made.pages[0].obj
        page.Resources.XObject = Dictionary(X=form)
        page.Contents = made.make_stream(b"/X Do")

    return pdf(knot)


def bomb_of_a_stream(megabytes: int = 1_700) -> bytes:
    """A page whose content is some MB when packed and MEGABYTES when unpacked."""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1024 * 1024)) + packer.flush(zlib.Z_FULL_FLUSH)  # after a full flush it can be repeated
    packed = first + again * megabytes + packer.flush()
    return raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        b"<< /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (len(packed), packed),
    )


def everything_in(data: bytes) -> bytes:
    """All that can be read in a PDF: its raw bytes, and each stream and each text unpacked."""
    found = [data]
    with pikepdf.open(io.BytesIO(data)) as opened:
        for thing in (one for one in opened.objects if isinstance(one, pikepdf.Object)):
            found.append(thing.unparse())
            if isinstance(thing, Stream):
                found.append(thing.read_raw_bytes())
                with contextlib.suppress(pikepdf.PdfError):
                    found.append(thing.read_bytes())
    return b"\n".join(found)


def keys_in(data: bytes) -> set[str]:
    """Every key of every dictionary in a PDF, however deep, with those of the trailer."""
    keys: set[str] = set()
    with pikepdf.open(io.BytesIO(data)) as opened:
        todo: list[Any] = [*opened.objects, opened.trailer]
        while todo:
            thing = todo.pop()
            if isinstance(thing, Stream):
                thing = thing.stream_dict
            if isinstance(thing, Dictionary):
                keys |= set(thing.keys())
                todo += [value for _key, value in thing.items() if isinstance(value, pikepdf.Object) and not value.is_indirect]
            elif isinstance(thing, Array):
                todo += [value for value in thing if isinstance(value, pikepdf.Object) and not value.is_indirect]
    return keys
