"""Small picture files of every kind that is read, hale and damaged, and what Pillow makes of each: files/ and decode.tsv."""
# SPDX-License-Identifier: Apache-2.0
import io
import itertools
import random
import struct
import warnings
import zlib

import numpy as np
from image_fixture import FOLDER, checksum, made_up, write
from PIL import Image, ImageFile, ImageOps

warnings.simplefilter("ignore")
FILES = FOLDER / "files"
FILES.mkdir(parents=True, exist_ok=True)
draw = random.Random(7)
written = []


def put(name, data):
    (FILES / name).write_bytes(data)
    written.append(name)


def saved(image, form, **options):
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def photo(width, height):
    """Smooth, so that a JPEG of it is small, with edges."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 128 + 100 * np.sin(x / 9 + y / 31)
    green = 128 + 90 * np.cos(y / 7 - x / 23)
    blue = np.where((x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2, 220, 40 + x % 50)
    return Image.fromarray(np.stack([red, green, blue], -1).clip(0, 255).astype(np.uint8))


def exif(orientation, order="<", kind=3):
    mark = b"II" if order == "<" else b"MM"
    value = struct.pack(order + ("HH" if kind == 3 else "L"), *((orientation, 0) if kind == 3 else (orientation,)))
    directory = struct.pack(order + "H", 1) + struct.pack(order + "HHL", 0x0112, kind, 1) + value + b"\0\0\0\0"
    return b"Exif\0\0" + mark + struct.pack(order + "HL", 42, 8) + directory


def xmp(orientation):
    return b'<x:xmpmeta><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>' % orientation


def jpegs():
    wide = photo(131, 97)
    for name, subsampling in {"444": 0, "422": 1, "420": 2}.items():
        put(f"{name}.jpg", saved(wide, "JPEG", quality=88, subsampling=subsampling))
        put(f"{name}_progressive.jpg", saved(wide, "JPEG", quality=88, subsampling=subsampling, progressive=True))
    put("restarts.jpg", saved(wide, "JPEG", quality=60, restart_marker_blocks=3))
    put("grey.jpg", saved(wide.convert("L"), "JPEG", quality=70))
    put("cmyk.jpg", saved(wide.convert("CMYK"), "JPEG", quality=70))
    put("rgb.jpg", saved(wide, "JPEG", quality=70, keep_rgb=True))
    put("optimized.jpg", saved(wide, "JPEG", quality=30, optimize=True))
    for size in [(1, 1), (8, 8), (16, 16), (17, 9), (3, 40)]:
        put(f"{size[0]}x{size[1]}.jpg", saved(made_up(*size, 3), "JPEG", quality=75))
    small = photo(23, 14)
    for orientation in range(1, 9):
        put(f"exif{orientation}.jpg", saved(small, "JPEG", exif=exif(orientation, ">" if orientation % 2 else "<")))
    put("exif_long.jpg", saved(small, "JPEG", exif=exif(6, kind=4)))
    put("exif_9.jpg", saved(small, "JPEG", exif=exif(9), xmp=xmp(3)))
    put("xmp.jpg", saved(small, "JPEG", xmp=xmp(6)))
    for i in range(4):
        junk = bytearray(exif(6))
        for _ in range(4):
            junk[draw.randrange(6, len(junk))] = draw.randrange(256)
        put(f"exif_junk{i}.jpg", saved(small, "JPEG", exif=bytes(junk)))
    whole = saved(wide, "JPEG", quality=88, subsampling=2)
    put("no_end.jpg", whole[:-2])
    put("half.jpg", whole[: len(whole) // 2])
    put("header_only.jpg", whole[:300])
    put("trailing.jpg", whole + bytes(draw.randrange(256) for _ in range(500)))
    put("junk_before_marker.jpg", whole[:20] + b"\x12\x34" + whole[20:])
    put("half_progressive.jpg", (p := saved(wide, "JPEG", quality=88, progressive=True))[: len(p) * 3 // 4])
    for i in range(4):
        flipped = bytearray(whole)
        for _ in range(6):
            flipped[draw.randrange(700, len(whole) - 2)] = draw.randrange(255)
        put(f"bitflips{i}.jpg", bytes(flipped))


PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))


def filtered(rows, step):
    """PNG's five filters in turn."""
    out, above = b"", np.zeros(len(rows[0]), np.int32)
    for i, row in enumerate(rows):
        row = np.frombuffer(row, np.uint8).astype(np.int32)
        left = np.concatenate([np.zeros(step, np.int32), row])[: len(row)]
        corner = np.concatenate([np.zeros(step, np.int32), above])[: len(row)]
        p = left + above - corner
        near = np.stack([abs(p - left), abs(p - above), abs(p - corner)]).argmin(0)
        guess = [0 * row, left, above, (left + above) // 2, np.choose(near, [left, above, corner])][i % 5]
        out += bytes([i % 5]) + ((row - guess) & 255).astype(np.uint8).tobytes()
        above = row
    return out


def png(width, height, bits, color, interlaced=False, before=b"", palette=None, split=50, seed=1):
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    rng = np.random.default_rng(seed)
    most = min(1 << bits, len(palette) // 3 if palette else 1 << 16)
    samples = rng.integers(0, most, (height, width, channels))
    samples[: height // 2] = samples[:1]

    def pack(part):
        if bits == 16:
            return [row.astype(">u2").tobytes() for row in part.reshape(len(part), -1)]
        bit = (part.reshape(len(part), -1, 1) >> np.arange(bits - 1, -1, -1)) & 1
        return [np.packbits(row.reshape(-1)).tobytes() for row in bit]

    parts = [samples[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [samples]
    step = max(1, bits * channels // 8)
    raw = b"".join(filtered(pack(part), step) for part in parts if part.size)
    packed = zlib.compress(raw, 9)
    data = b"".join(chunk(b"IDAT", packed[i : i + split]) for i in range(0, len(packed), split))
    if palette:
        before += chunk(b"PLTE", palette)
    header = chunk(b"IHDR", struct.pack(">LLBBBBB", width, height, bits, color, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + before + data + chunk(b"IEND", b"")


def pngs():
    colors = bytes(draw.randrange(256) for _ in range(768))
    forms = [(b, c) for c, bs in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items() for b in bs]
    for (bits, color), interlaced in itertools.product(forms, (False, True)):
        palette = colors[: 3 << bits] if color == 3 else None
        put(f"{bits}_{color}{'_interlaced' if interlaced else ''}.png", png(21, 13, bits, color, interlaced, palette=palette))
    for size in [(1, 1), (2, 3), (5, 1), (1, 6)]:
        put(f"{size[0]}x{size[1]}_interlaced.png", png(*size, 8, 2, True))
    put("transparent_grey.png", png(9, 9, 8, 0, before=chunk(b"tRNS", b"\0\x10")))
    put("transparent_palette.png", png(9, 9, 4, 3, palette=colors[:48]).replace(b"IDAT", b"IDAT"))
    short = png(9, 9, 8, 3, palette=colors)
    at = short.index(b"PLTE") - 4
    put("short_palette.png", short[:at] + chunk(b"PLTE", colors[:30]) + short[at + 12 + 768 :])
    put("no_palette.png", short[:at] + short[at + 12 + 768 :])
    put("exif.png", png(9, 7, 8, 2, before=chunk(b"eXIf", exif(6)[6:])))
    put("xmp.png", png(9, 7, 8, 2, before=chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(8))))
    whole = png(40, 30, 8, 2)
    put("exif_behind.png", whole[:-12] + chunk(b"eXIf", exif(5)[6:]) + whole[-12:])
    put("half.png", whole[: len(whole) // 2])
    put("no_end.png", whole[:-12])
    put("half_end.png", whole[:-6])
    put("cut_behind.png", whole[:-12] + chunk(b"tEXt", b"Comment\0" + b"x" * 100)[:60])
    put("bad_header_checksum.png", whole[:29] + b"\0\0\0\0" + whole[33:])
    body = bytearray(whole)
    body[len(body) // 2 : len(body) // 2 + 30] = b"\xff" * 30
    put("damaged_rows.png", bytes(body))
    checksum_at = whole.index(b"IDAT", 60) + 4 + 50
    put("bad_pixel_checksum.png", whole[:checksum_at] + b"\1\2\3\4" + whole[checksum_at + 4 :])
    put("interlaced_half.png", (p := png(40, 30, 8, 2, True))[: len(p) // 2])
    put("palette_half.png", (p := png(40, 30, 8, 3, palette=colors))[: len(p) * 2 // 3])
    put("trailing.png", whole + b"more")


def gifs():
    picture = photo(37, 29)
    reduced = picture.quantize(40)
    plain = saved(reduced, "GIF", interlace=0)
    put("plain.gif", plain)
    put("interlaced.gif", saved(reduced, "GIF", interlace=1))
    put("grey.gif", saved(picture.convert("L"), "GIF"))
    put("ramp.gif", saved(Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16)), "GIF"))
    put("transparent.gif", saved(reduced, "GIF", transparency=3))
    put("animated.gif", saved(reduced, "GIF", save_all=True, append_images=[picture.rotate(90).quantize(16)], duration=50))
    wide = made_up(90, 70, 9).quantize(256)
    put("noise.gif", saved(wide, "GIF"))
    for name, transparency in {"offset": None, "offset_transparent": 5}.items():
        options = {} if transparency is None else {"transparency": transparency}
        data = bytearray(saved(reduced, "GIF", interlace=0, optimize=False, **options))
        data[6:10] = struct.pack("<HH", 50, 45)
        at = data.index(b"\x2c\0\0\0\0%\0\x1d\0")
        data[at + 1 : at + 5] = struct.pack("<HH", 6, 11)
        put(f"{name}.gif", bytes(data))
        data[at + 1 : at + 5] = struct.pack("<HH", 20, 30)
        put(f"{name}_beyond.gif", bytes(data))
    put("half.gif", plain[: len(plain) // 2])
    put("no_end.gif", plain[:-1])
    put("header_only.gif", plain[:20])
    body = bytearray(plain)
    body[len(plain) * 2 // 3] ^= 255
    put("damaged.gif", bytes(body))


def bmp(width, height, bits, compression, rows, palette=b"", header=40, masks=b"", top_down=False, colors=0):
    data = b"".join(rows)
    if header == 12:
        info = struct.pack("<LHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<LLlHHLLLLLL", header, width, -height if top_down else height, 1, bits, compression, len(data), 0, 0, colors, 0)
        info += masks[: header - 40].ljust(header - 40, b"\0")
        masks = masks[header - 40 :] if header == 40 else b""
    offset = 14 + len(info) + len(masks) + len(palette)
    return b"BM" + struct.pack("<LHHL", offset + len(data), 0, 0, offset) + info + masks + palette + data


def bmps():
    picture = photo(23, 17)
    for mode in ["1", "L", "P", "RGB", "RGBA"]:
        put(f"{mode}.bmp", saved(picture.quantize(60) if mode == "P" else picture.convert(mode), "BMP"))
    rng = np.random.default_rng(2)

    def rows(bits, width=11, height=7):
        n = (width * bits + 31) // 32 * 4
        return [rng.integers(0, 256, n, np.uint8).tobytes() for _ in range(height)]

    colors = rng.integers(0, 256, 1024, np.uint8).tobytes()
    put("1_palette.bmp", bmp(11, 7, 1, 0, rows(1), colors[:8]))
    put("4_palette.bmp", bmp(11, 7, 4, 0, rows(4), colors[:64]))
    put("8_few_colors.bmp", bmp(11, 7, 8, 0, rows(8), colors[:160], colors=40))
    put("16_555.bmp", bmp(11, 7, 16, 0, rows(16)))
    put("16_565.bmp", bmp(11, 7, 16, 3, rows(16), masks=struct.pack("<LLL", 0xF800, 0x7E0, 0x1F)))
    put("32.bmp", bmp(11, 7, 32, 0, rows(32)))
    for i, masks in enumerate([(0xFF0000, 0xFF00, 0xFF, 0xFF000000), (0xFF, 0xFF00, 0xFF0000, 0xFF000000), (0xFF000000, 0xFF0000, 0xFF00, 0)]):
        put(f"32_fields{i}.bmp", bmp(11, 7, 32, 3, rows(32), header=108, masks=struct.pack("<LLLL", *masks)))
    put("32_odd_fields.bmp", bmp(11, 7, 32, 3, rows(32), header=108, masks=struct.pack("<LLLL", 0xF, 0xF0, 0xF00, 0)))
    put("24_top_down.bmp", bmp(11, 7, 24, 0, rows(24), top_down=True))
    put("24_core.bmp", bmp(11, 7, 24, 0, rows(24), header=12))
    put("8_core.bmp", bmp(11, 7, 8, 0, rows(8), colors[:768], header=12))
    runs = bytes([5, 1, 6, 2, 0, 0, 0, 5, 9, 8, 7, 6, 5, 0, 6, 3, 0, 0, 0, 2, 4, 1, 7, 9, 0, 0, 11, 4, 0, 0, 11, 5, 0, 0, 11, 6, 0, 1])
    put("rle8.bmp", bmp(11, 7, 8, 1, [runs], colors))
    runs = bytes([5, 0x12, 6, 0x34, 0, 0, 0, 5, 0x98, 0x76, 0x50, 0, 6, 0x30, 0, 0, 0, 2, 4, 1, 7, 0x9A, 0, 0] + [11, 0x45, 0, 0] * 3 + [0, 1])
    put("rle4.bmp", bmp(11, 7, 4, 2, [runs], colors[:64]))
    put("rle8_short.bmp", bmp(11, 7, 8, 1, [runs[:9]], colors))
    whole = saved(picture, "BMP")
    put("half.bmp", whole[: len(whole) // 2])
    put("half_palette.bmp", (p := bmp(11, 7, 8, 0, rows(8), colors))[: len(p) - 30])
    put("no_padding.bmp", whole[:-3])
    put("header_only.bmp", whole[:30])
    put("huge.bmp", bmp(30000, 17000, 24, 0, rows(24)))


def webps():
    picture = photo(37, 29)
    put("lossy.webp", saved(picture, "WEBP", quality=70))
    put("lossless.webp", saved(picture, "WEBP", lossless=True))
    alpha = picture.convert("RGBA")
    alpha.putalpha(Image.fromarray((np.indices((29, 37)).sum(0) * 4 % 256).astype(np.uint8)))
    put("alpha.webp", saved(alpha, "WEBP", quality=70))
    put("alpha_lossless.webp", saved(alpha, "WEBP", lossless=True, exact=True))
    put("animated.webp", saved(alpha, "WEBP", save_all=True, append_images=[alpha.rotate(180)], duration=40))
    put("exif.webp", saved(picture, "WEBP", exif=exif(7)))
    put("xmp.webp", saved(picture, "WEBP", xmp=xmp(4)))
    whole = saved(picture, "WEBP", quality=70)
    put("half.webp", whole[: len(whole) // 2])
    put("cut.webp", whole[:-3])
    put("trailing.webp", whole + b"more")
    body = bytearray(whole)
    body[40:60] = bytes(20)
    put("damaged.webp", bytes(body))


def as_rgb(image):
    """convert("RGB"), but 16-bit grey is scaled: the one deliberate difference from Pillow."""
    if image.mode.startswith("I;16"):
        grey = (np.asarray(image) >> 8).astype(np.uint8)
        return Image.fromarray(np.stack([grey] * 3, -1))
    return image.convert("RGB")


def read(path, truncated=False, upright=False):
    ImageFile.LOAD_TRUNCATED_IMAGES = truncated
    try:
        with Image.open(path) as image:
            image.load()
            if upright:
                image = ImageOps.exif_transpose(image)
            return as_rgb(image)
    except Exception:
        return None
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def verdict(path):
    """decode, partial or reject; the pixels; the pixels turned upright."""
    pixels = read(path)
    if pixels:
        # Where Pillow's EXIF reader stumbles there is nothing to turn.
        return "decode", pixels, read(path, upright=True) or pixels
    pixels = read(path, truncated=True)
    return ("partial", pixels, pixels) if pixels else ("reject", None, None)


def row(name, path):
    kind, pixels, upright = verdict(path)
    if not pixels:
        return (name, kind, 0, 0, "-", "-")
    return (name, kind, *pixels.size, checksum(pixels), f"{upright.size[0]}x{upright.size[1]}:{checksum(upright)}")


if __name__ == "__main__":
    for make in (jpegs, pngs, gifs, bmps, webps):
        make()
    write("decode.tsv", ["file", "verdict", "width", "height", "crc32", "upright"], [row(n, FILES / n) for n in written])
