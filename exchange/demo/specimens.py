"""Papers of invented people: drawn, and marked "specimen" across, so that nobody takes them for real."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

INK, PALE, MARK, PAPER = "#1d2c3b", "#8a93a0", "#c9a0a8", "#fbfaf6"
A4 = (1000, 1414)  # pixels


def _font(size: int) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _sheet(size: tuple[int, int]) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", size, PAPER)
    return image, ImageDraw.Draw(image)


def _mark(image: Image.Image) -> None:
    """SPECIMEN across the page, thrice."""
    stamp = Image.new("RGBA", (760, 110), (0, 0, 0, 0))
    ImageDraw.Draw(stamp).text((10, 5), "S P E C I M E N", font=_font(84), fill=(160, 40, 60, 70))
    turned = stamp.rotate(28, expand=True)
    for part in range(3):
        image.paste(turned, (max(0, image.width // 2 - 380), image.height * part // 3 - 40), turned)


def _jpeg(image: Image.Image) -> bytes:
    _mark(image)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=72)
    return out.getvalue()


def passport(name: str, country: str, number: str, born: str, expires: str) -> bytes:
    image, pen = _sheet((1200, 840))
    pen.rectangle((0, 0, 1200, 110), fill="#123c46")
    pen.text((40, 30), f"PASSPORT  ·  {country.upper()}", font=_font(44), fill="#f4efe4")
    pen.rectangle((50, 160, 350, 560), fill="#dfe5e4")
    pen.ellipse((140, 220, 260, 350), fill=PALE)
    pen.rounded_rectangle((100, 370, 300, 560), 70, fill=PALE)
    for row, (label, value) in enumerate(
        (("Name", name), ("Nationality", country), ("Passport no.", number), ("Date of birth", born), ("Date of expiry", expires))
    ):
        pen.text((400, 160 + row * 84), label, font=_font(24), fill=PALE)
        pen.text((400, 188 + row * 84), value, font=_font(36), fill=INK)
    line = f"P<{country[:3].upper()}{name.upper().replace(' ', '<')}"[:40].ljust(40, "<")
    pen.text((40, 680), line, font=_font(36), fill=INK)
    pen.text((40, 740), f"{number}<<{born.replace('-', '')}<<{expires.replace('-', '')}".ljust(40, "<"), font=_font(36), fill=INK)
    return _jpeg(image)


def page(title: str, lines: Sequence[str], *, signed: str = "") -> bytes:
    """A page of text: diploma, letter, certificate."""
    image, pen = _sheet(A4)
    pen.rectangle((40, 40, 960, 1374), outline="#c5b68f", width=4)
    pen.text((90, 110), title, font=_font(52), fill=INK)
    pen.line((90, 190, 910, 190), fill="#c5b68f", width=3)
    for row, line in enumerate(lines):
        pen.text((90, 250 + row * 54), line, font=_font(30), fill=INK)
    if signed:
        pen.line((90, 1210, 430, 1210), fill=PALE, width=2)
        pen.text((90, 1225), signed, font=_font(26), fill=PALE)
    return _jpeg(image)


def transcript(rows: Sequence[tuple[str, str]], title: str = "Transcript of records") -> bytes:
    """Courses and marks, without a name: it is what reviewers see."""
    image, pen = _sheet(A4)
    pen.text((90, 90), title, font=_font(48), fill=INK)
    for row, (course, mark) in enumerate(rows):
        top = 200 + row * 58
        pen.line((90, top + 48, 910, top + 48), fill="#e3ddcf", width=2)
        pen.text((90, top), course, font=_font(30), fill=INK)
        pen.text((820, top), mark, font=_font(30), fill=INK)
    return _jpeg(image)
