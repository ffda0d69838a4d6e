"""Writes a folder of tiny PNGs that a network can be trained on in a second: train/ and val/ with a class of red and one of blue pictures."""
import pathlib
import random
import struct
import sys
import zlib


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side, pixel):
    rows = b"".join(b"\0" + b"".join(bytes(pixel()) for _ in range(side)) for _ in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def main():
    root = pathlib.Path(sys.argv[1])
    draw = random.Random(0)
    for split, count in (("train", 8), ("val", 4)):
        for name, order in (("red", 1), ("blue", -1)):
            folder = root / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                (folder / f"{i}.png").write_bytes(png(40, lambda: (draw.randint(150, 255), draw.randint(0, 90), draw.randint(0, 90))[::order]))


main()
