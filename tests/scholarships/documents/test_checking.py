"""What is taken, what is refused and in which words, and that nothing but pages and pictures gets through."""

from __future__ import annotations

import base64
import io
import os
import time
import zlib
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from django.core.exceptions import ValidationError
from PIL import Image

from scholarships.documents import checking
from scholarships.documents.checking import MEGABYTE, Limits, ask_child, checked, limits_sentence
from tests.scholarships.documents import samples

LARGE = Limits(size=20 * MEGABYTE)


def clean(data: bytes, name: str, limits: Limits = LARGE) -> bytes:
    """The clean copy of a file that is taken."""
    with checked(io.BytesIO(data), name, limits) as file:
        return file.clean.read_bytes()


def verdict(data: bytes, name: str, limits: Limits = LARGE) -> str:
    """ "ok", or the code of the refusal without its "file_"."""
    try:
        clean(data, name, limits)
    except ValidationError as refused:
        return str(refused.code).removeprefix("file_")
    return "ok"


# -- Good files ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["page.jpg", "PAGE.JPEG", "scan 1.final.jpg"])
def test_a_jpeg_is_taken(name):
    assert verdict(samples.image("JPEG"), name) == "ok"


def test_a_file_that_is_taken_is_described():
    data = samples.pdf(pages=3)

    with checked(io.BytesIO(data), "a.pdf", Limits()) as file:
        assert (file.format, file.size, file.pages) == ("pdf", len(data), 3)
        assert file.original.read_bytes() == data
        assert file.clean.exists()
    assert not file.original.exists()
    assert not file.clean.exists()


@pytest.mark.parametrize(("mode", "color"), [("RGBA", (255, 0, 0, 0)), ("LA", (0, 0)), ("P", 0), ("1", 1), ("L", 255), ("I;16", 65535)])
def test_a_png_of_any_kind_is_taken_and_what_is_transparent_becomes_white(mode, color):
    options = {"transparency": 0} if mode == "P" else {}

    with Image.open(io.BytesIO(clean(samples.image("PNG", mode=mode, color=color, **options), "a.png"))) as picture:
        assert (picture.format, picture.mode, picture.size) == ("JPEG", "RGB", (60, 40))
        assert picture.getpixel((5, 5)) == (255, 255, 255)


def test_of_sixteen_bits_the_upper_eight_stay():
    with Image.open(io.BytesIO(clean(samples.image("PNG", mode="I;16", color=0x8000), "a.png"))) as picture:
        assert picture.getpixel((5, 5)) == (128, 128, 128)


def test_a_jpeg_in_printing_colours_is_taken():
    with Image.open(io.BytesIO(clean(samples.image("JPEG", mode="CMYK", color=(0, 0, 0, 0)), "a.jpg"))) as picture:
        assert picture.getpixel((5, 5)) == (255, 255, 255)


def test_a_photo_that_lies_on_its_side_is_turned():
    with Image.open(io.BytesIO(clean(samples.photo_with_place(), "a.jpg"))) as picture:
        assert picture.size == (40, 60)
        assert picture.getpixel((20, 5)) == pytest.approx((254, 0, 0), abs=3)


def test_a_large_picture_is_made_smaller():
    with Image.open(io.BytesIO(clean(samples.image(size=(4000, 1000)), "a.jpg"))) as picture:
        assert picture.size == (3000, 750)


def test_the_pages_of_a_pdf_look_as_before():
    data = samples.pdf(pages=2)

    before, after = (pypdfium2.PdfDocument(one) for one in (data, clean(data, "a.pdf")))

    assert len(after) == 2
    for number in range(2):
        assert after[number].get_textpage().get_text_bounded() == f"A page {number + 1}"
        assert after[number].render().to_pil().tobytes() == before[number].render().to_pil().tobytes()


def test_what_was_typed_into_a_form_becomes_part_of_the_page():
    data = clean(samples.pdf_with_a_filled_form(), "a.pdf")

    assert "WRITTEN" in pypdfium2.PdfDocument(data)[0].get_textpage().get_text_bounded()
    assert {"/AcroForm", "/Annots"} & samples.keys_in(data) == set()


def test_a_page_keeps_what_it_inherits():
    data = samples.raw_pdf(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 300 200] /Rotate 90 /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>",
        b"<< /Length 36 >>\nstream\nBT /F1 24 Tf 20 20 Td (Turned) Tj ET\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )

    (page,) = pypdfium2.PdfDocument(clean(data, "a.pdf"))

    assert (page.get_size(), page.get_textpage().get_text_bounded()) == ((200, 300), "Turned")


def test_a_pdf_that_may_only_not_be_changed_is_taken_and_unlocked():
    locked = samples.pdf(encryption=pikepdf.Encryption(owner="secret", user="", allow=pikepdf.Permissions(extract=False)))

    with pikepdf.open(io.BytesIO(clean(locked, "a.pdf"))) as opened:
        assert not opened.is_encrypted


# -- Refusals --------------------------------------------------------------------


def test_an_empty_file():
    assert verdict(b"", "a.pdf") == "empty"


def test_a_file_that_is_too_large_is_left_unread_and_says_its_size():
    class Endless(io.RawIOBase):
        size = 7 * MEGABYTE
        given = 0

        def read(self, most: int = -1) -> bytes:
            self.given += most
            return b"\xff\xd8\xff" + bytes(most - 3)

    endless = Endless()
    with pytest.raises(ValidationError) as refused, checked(endless, "a.jpg", Limits(size=MEGABYTE)):
        pass

    assert refused.value.code == "file_size"
    assert refused.value.messages == ["The file is 7.0 MB. Choose a file smaller than 1 MB, or take the photo again at a lower quality."]
    assert endless.given <= 2 * MEGABYTE


def test_a_file_of_exactly_the_size_is_taken():
    data = samples.image()

    assert verdict(data, "a.jpg", Limits(size=len(data))) == "ok"
    assert verdict(data, "a.jpg", Limits(size=len(data) - 1)) == "size"


@pytest.mark.parametrize("name", ["a.docx", "a.gif", "a.svg", "a.html", "a", "", ".", "pdf", "a.pdf.exe", "a.pdf "])
def test_a_kind_of_file_that_is_not_taken(name):
    assert verdict(samples.pdf(), name) == "type"


@pytest.mark.parametrize("name", ["photo.heic", "photo.HEIF", "photo.jpg", "photo"])
def test_the_format_of_apple_devices_has_its_own_sentence(name):
    assert verdict(samples.HEIC, name) == "heic"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (samples.image("JPEG"), "a.png"),
        (samples.image("PNG"), "a.jpg"),
        (samples.pdf(), "a.jpg"),
        (samples.image("JPEG"), "a.pdf"),
        (samples.zipped(), "a.pdf"),
        (samples.image("GIF"), "a.png"),
        (b"<html><script>alert(1)</script>", "a.jpg"),
        (b"MZ" + bytes(100), "a.pdf"),
        (b"%PDF", "a.pdf"),
    ],
)
def test_a_name_that_lies(data, name):
    assert verdict(data, name) == "mismatch"


def test_a_locked_pdf():
    assert verdict(samples.pdf(encryption=pikepdf.Encryption(owner="o", user="u")), "a.pdf") == "encrypted"


def test_a_pdf_locked_in_a_way_that_nobody_knows():
    data = samples.pdf().replace(b"trailer <<", b"trailer << /Encrypt << /Filter /Secret /V 9 >> ")

    assert verdict(data, "a.pdf") == "encrypted"


@pytest.mark.parametrize(
    "data",
    [
        samples.pdf(pages=5)[:-100],
        samples.pdf(pages=5)[:1200],
        b"%PDF-1.7\n" + os.urandom(2000),
        b"%PDF-1.7\n",
        samples.raw_pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>"),
        samples.raw_pdf(b"<< /Type /Catalog >>"),
    ],
    ids=["end cut off", "half cut off", "noise", "empty", "no page", "no tree"],
)
def test_a_damaged_pdf(data):
    assert verdict(data, "a.pdf") == "damaged"


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (samples.image(size=(400, 400))[:400], "a.jpg"),
        (b"\xff\xd8\xff" + os.urandom(500), "a.jpg"),
        (samples.image("PNG", size=(400, 400))[:60], "a.png"),
        (samples.image("PNG")[:-20] + bytes(20), "a.png"),
        (samples.image(size=(7, 400)), "a.jpg"),
    ],
    ids=["cut", "noise", "cut png", "broken png", "narrow"],
)
def test_a_damaged_picture(data, name):
    assert verdict(data, name) == "damaged"


def test_a_page_that_is_a_thin_strip_cannot_be_drawn():
    def strip(made: pikepdf.Pdf) -> None:
        made.pages[0].obj.MediaBox = pikepdf.Array([0, 0, 10, 14_000])

    assert verdict(samples.pdf(strip), "a.pdf") == "damaged"


def test_too_many_pages():
    assert verdict(samples.pdf(pages=3), "a.pdf", Limits(pages=3)) == "ok"
    assert verdict(samples.pdf(pages=4), "a.pdf", Limits(pages=3)) == "pages"


def test_too_many_pixels_are_counted_before_anything_is_unpacked():
    began = time.monotonic()

    assert verdict(samples.png_bomb(), "a.png") == "pixels"
    assert verdict(samples.image(size=(100, 100)), "a.jpg", Limits(pixels=9_999)) == "pixels"
    assert verdict(samples.image(size=(100, 100)), "a.jpg", Limits(pixels=10_000)) == "ok"
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("code", ["empty", "size", "type", "heic", "mismatch", "encrypted", "damaged", "pages", "pixels", "too_heavy"])
def test_each_refusal_says_what_is_wrong_and_what_to_do(code):
    refused = checking.refusal(code, Limits(), has="7.0 MB", says="pdf")

    (message,) = refused.messages
    assert refused.code == f"file_{code}"
    assert message.count(". ") >= 1
    assert "%(" not in message


def test_what_may_be_sent_is_said_before():
    assert limits_sentence(Limits(pages=1)).startswith("PDF, JPG or PNG up to 5 MB and 1 page.")


# -- Nothing gets through --------------------------------------------------------


def test_a_picture_loses_the_place_the_camera_and_every_word():
    data = clean(samples.photo_with_place(), "a.jpg")

    with Image.open(io.BytesIO(data)) as picture:
        assert dict(picture.getexif()) == {}
        assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert samples.SECRET not in data
    assert b"Exif" not in data


def test_a_png_loses_its_texts():
    data = clean(samples.png_with_words(), "a.png")

    assert samples.SECRET not in data
    assert data.startswith(b"\xff\xd8\xff")


def test_a_picture_that_is_an_archive_too_is_only_a_picture():
    data = clean(samples.image() + samples.zipped(), "a.jpg")

    assert b"PK\x03\x04" not in data
    assert data.endswith(b"\xff\xd9")


def test_a_pdf_that_is_a_web_page_too_is_only_a_pdf():
    page = b"<html><script>alert('" + samples.SECRET + b"')</script></html>"
    data = samples.pdf()

    for hostile in (data.replace(b"%\xbf\xf7\xa2\xfe", b"%" + page, 1), data + page, data[:9] + b"%" + page + b"\n" + data[9:]):
        assert samples.SECRET in hostile
        assert samples.SECRET not in samples.everything_in(clean(hostile, "a.pdf"))


def test_a_pdf_keeps_its_pages_and_nothing_else():
    armed = samples.pdf(samples.armed, pages=2)
    assert samples.SECRET in samples.everything_in(armed)

    data = clean(armed, "a.pdf")

    assert samples.SECRET not in samples.everything_in(data)
    assert samples.keys_in(data) == {
        "/BBox", "/BaseFont", "/Columns", "/Contents", "/Count", "/DecodeParms", "/ExtGState", "/F1", "/Filter", "/First", "/Font", "/GS", "/ID",
        "/JS",  # a form that the page itself has named so: a name, not a script
        "/Kids", "/Length", "/MediaBox", "/N", "/Nested", "/Pages", "/Parent", "/Predictor", "/Resources", "/Root", "/Size", "/Subtype", "/Type", "/W",
        "/XObject",
    }  # fmt: skip


def test_a_pdf_whose_parts_are_packed_together_keeps_nothing_else_either():
    armed = samples.pdf(samples.armed, object_stream_mode=pikepdf.ObjectStreamMode.generate, compress_streams=True)

    assert samples.SECRET not in samples.everything_in(clean(armed, "a.pdf"))


def test_what_draws_an_armed_page_still_draws_it():
    data = samples.pdf(samples.armed)
    bare = pypdfium2.PdfDocument(clean(data, "a.pdf"))[0]

    assert bare.get_textpage().get_text_bounded() == "A page 1"
    assert bare.render().to_pil().convert("L").getpixel((320, 792 - 320)) == 0  # the square of the form named /JS


def test_a_name_that_a_page_has_chosen_is_not_taken_for_a_script():
    def name(made: pikepdf.Pdf) -> None:
        page = made.pages[0].obj
        page.Resources.Font = pikepdf.Dictionary({"/AA": page.Resources.Font.F1, "/Metadata": page.Resources.Font.F1})
        page.Contents = made.make_stream(b"BT /AA 24 Tf 72 720 Td (One) Tj /Metadata 24 Tf 72 0 Td (Two) Tj ET")

    data = clean(samples.pdf(name), "a.pdf")

    with pikepdf.open(io.BytesIO(data)) as opened:
        assert set(opened.pages[0].obj.Resources.Font.keys()) == {"/AA", "/Metadata"}


def test_a_stream_that_lies_in_another_file_is_not_fetched():
    def elsewhere(made: pikepdf.Pdf) -> None:
        made.pages[0].obj.Contents = made.make_stream(b"0 0 m", F=pikepdf.String("/etc/passwd"), FFilter=pikepdf.Name.FlateDecode)

    assert {"/F", "/FFilter"} & samples.keys_in(clean(samples.pdf(elsewhere), "a.pdf")) == set()


@pytest.mark.parametrize(
    ("packed", "encode"),
    [
        ("", bytes),
        ("/FlateDecode", zlib.compress),
        ("/ASCII85Decode", lambda data: base64.a85encode(data) + b"~>"),
        ("/ASCIIHexDecode", lambda data: data.hex().encode() + b">"),
    ],
)
def test_a_photo_within_a_pdf_loses_the_place_and_the_camera(packed, encode):
    data = clean(samples.pdf_with_photo(packed=packed, encode=encode), "a.pdf")

    with pikepdf.open(io.BytesIO(data)) as opened:
        photo = opened.pages[0].obj.Resources.XObject.Im0
        assert photo.Filter == pikepdf.Name.DCTDecode
        with Image.open(io.BytesIO(photo.read_raw_bytes())) as picture:
            assert (picture.size, dict(picture.getexif())) == ((60, 40), {})
            assert picture.getpixel((5, 5)) == pytest.approx((254, 0, 0), abs=3)
    assert samples.SECRET not in samples.everything_in(data)


@pytest.mark.parametrize("name", ["/DCTDecOde", "/"])
def test_a_stream_packed_in_a_way_that_nobody_knows_is_not_taken(name):
    def pack(made: pikepdf.Pdf) -> None:
        page = made.pages[0].obj
        picture = pikepdf.Stream(made, samples.SECRET, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Filter=pikepdf.Name(name))
        page.Resources.XObject = pikepdf.Dictionary(Im0=made.make_indirect(picture))

    assert verdict(samples.pdf(pack), "a.pdf") == "damaged"


def test_a_photo_that_is_packed_again_after_it_is_not_taken():
    def pack(made: pikepdf.Pdf) -> None:
        page = made.pages[0].obj
        filters = pikepdf.Array([pikepdf.Name.DCTDecode, pikepdf.Name.FlateDecode])
        picture = pikepdf.Stream(made, samples.photo_with_place(), Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, Filter=filters)
        page.Resources.XObject = pikepdf.Dictionary(Im0=made.make_indirect(picture))

    assert verdict(samples.pdf(pack), "a.pdf") == "damaged"


def test_a_photo_within_a_pdf_looks_as_before():
    data = samples.pdf_with_photo()

    before, after = (pypdfium2.PdfDocument(one)[0].render().to_pil().tobytes() for one in (data, clean(data, "a.pdf")))

    assert after == before


@pytest.mark.parametrize(
    "options", [{"progressive": True}, {"quality": 95, "subsampling": 0}, {"restart_marker_blocks": 2}, {"mode": "CMYK"}]
)
def test_a_jpeg_of_any_kind_is_the_same_picture_without_its_metadata(options):
    from scholarships.documents.checking import CHILD

    code = CHILD.read_text(encoding="utf-8").replace("\nmain()\n", "\n")
    names: dict[str, object] = {}
    exec(compile(code, str(CHILD), "exec"), names)  # the child runs on import, which a test cannot let it do
    mode = options.pop("mode", "RGB")
    noise = Image.effect_noise((90, 70), 60).convert(mode)
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = samples.WORD
    noise.save(out, "JPEG", exif=exif, comment=samples.SECRET, **options)
    data = out.getvalue()

    stripped = names["jpeg_without_metadata"](data + samples.SECRET)

    assert samples.SECRET not in stripped
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(stripped)) as after:
        assert after.mode == before.mode
        assert after.tobytes() == before.tobytes()


# -- Files that mean harm --------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (samples.circle_of_pages, {"damaged"}),
        (samples.circle_of_parents, {"ok"}),
        (samples.circle_of_forms, {"ok", "damaged", "too_heavy"}),
        (samples.tower_of_pages, {"damaged", "too_heavy"}),
        (samples.tower_of_brackets, {"ok", "damaged", "too_heavy"}),
        (samples.chain_of_forms, {"ok", "damaged", "too_heavy"}),
        (samples.bomb_of_a_stream, {"damaged", "too_heavy"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_file_that_means_harm_has_its_verdict_in_time(make, expected):
    data = make()
    began = time.monotonic()

    assert verdict(data, "a.pdf") in expected
    assert time.monotonic() - began <= 30


@pytest.fixture
def a_child(tmp_path, monkeypatch):
    """Another program in the place of the child: what it does instead."""

    def put(code: str) -> None:
        path = tmp_path / "child.py"
        path.write_text(code)
        monkeypatch.setattr(checking, "CHILD", path)

    return put


@pytest.mark.parametrize(
    "code",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "raise MemoryError",
        "print('not json')",
        "print('[1]')",
        "print('{}')",
        "print('[' * 100000)",
        "print('{\"pages\": 0}')",
        'print(\'{"pages": "many"}\')',
        "print('{\"pages\": 1}')",  # without a clean copy
        'print(\'{"refused": "<b>anything</b>"}\')',
        "",
    ],
)
def test_a_child_that_dies_or_talks_nonsense_is_a_verdict(a_child, code):
    a_child(code)

    assert verdict(samples.pdf(), "a.pdf") == "too_heavy"


def test_a_child_that_hangs_is_killed(a_child, monkeypatch, tmp_path):
    monkeypatch.setattr(checking, "SECONDS", 1)
    mark = tmp_path / "alive"
    a_child(f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    assert verdict(samples.pdf(), "a.pdf") == "too_heavy"
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_a_child_that_uses_the_processor_without_end_is_stopped_by_its_own_limit():
    code = checking.CHILD.read_text(encoding="utf-8")

    assert "RLIMIT_CPU" in code
    assert int(code.split("SECONDS = ")[1].split()[0]) < checking.SECONDS


def test_the_child_sees_no_secret_of_ours(a_child, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "xyz")
    seen = tmp_path / "seen"
    a_child(f"import os; open({str(seen)!r}, 'w').write(repr(dict(os.environ)))")

    verdict(samples.pdf(), "a.pdf")

    assert "xyz" not in seen.read_text()
    assert "VAR" not in seen.read_text()


def test_the_files_of_the_child_are_for_us_alone(tmp_path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(samples.image())

    answer = ask_child({"do": "check", "source": str(source), "format": "jpeg", "target": str(target), "max_pages": 1, "max_pixels": 10**6})

    assert (answer, oct(target.stat().st_mode & 0o777)) == ({"pages": 1}, "0o600")


def test_the_child_imports_nothing_of_the_house():
    code = Path(checking.CHILD).read_text(encoding="utf-8")

    assert "scholarships" not in code
    assert "django" not in code
