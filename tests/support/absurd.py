"""Healthy files with heads that claim what cannot be: sizes, types and numbers that a reader must not believe."""

import io
import struct
import zipfile
import zlib

HUGE = (0, 1, 2, 255, 65_535, 65_536, 10**7, 2**31 - 1, 2**31, 2**32 - 1)
SHAPES = (
    "(10**9,)",
    "(1000000000000000, 3)",
    "(-1,)",
    "(60, -3)",
    "(0,)",
    "()",
    "(60, 3, 1000000000)",
    "(1e9,)",
    "None",
)
TYPES = ("'<f8'", "'|O'", "'<U1000000000'", "'>i2'", "'|S0'", "'<M8[s]'", "[('a', '<f8')]", "'<c16'", "'|V8'")


def absurd(ending, content, chance):
    """The content with one absurd claim."""
    return _KINDS[ending](content, chance)


def _png(content, chance):
    """The head with other sizes, depths and kinds of colour, its checksum right."""
    width, height = chance.choice(HUGE), chance.choice(HUGE)
    depth, colour = chance.choice((8, 1, 16, 3, 255)), chance.choice((2, 0, 3, 6, 7))
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, chance.choice((0, 1, 9)))
    return content[:12] + head + struct.pack(">I", zlib.crc32(head)) + content[33:]


def _jpeg(content, chance):
    """The frame with other sizes, precision or number of components."""
    changed = bytearray(content)
    frame = content.index(b"\xff\xc0")
    struct.pack_into(
        ">BHHB",
        changed,
        frame + 4,
        chance.choice((8, 12, 0)),
        chance.choice(HUGE) % 65_536,
        chance.choice(HUGE) % 65_536,
        chance.choice((3, 1, 4, 0, 255)),
    )
    return bytes(changed)


def _idx(content, chance):
    """Other sizes, and other numbers of them."""
    changed = bytearray(content)
    for place in range(chance.randint(1, 3)):
        struct.pack_into(">I", changed, 4 + 4 * place, chance.choice(HUGE))
    changed[3] = chance.choice((3, 3, 3, 0, 1, 4, 255))
    return bytes(changed)


def _npz(content, chance):
    """An array of another shape or type, in an archive that is whole."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as healthy,
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file,
    ):
        names = healthy.namelist()
        chosen = chance.choice(names)
        for name in names:
            member = healthy.read(name)
            file.writestr(name, _array(member, chance) if name == chosen else member)
    return made.getvalue()


def _array(member, chance):
    end = 10 + struct.unpack("<H", member[8:10])[0]
    shape, kind = chance.choice(SHAPES), chance.choice(TYPES)
    order = chance.choice(("False", "True", "7"))
    text = f"{{'descr': {kind}, 'fortran_order': {order}, 'shape': {shape}, }}".encode().ljust(118) + b"\n"
    rest = b"\x80\x04cos\nsystem\n(S\x04true\ntR." if "O" in kind else member[end:]
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + rest


def _series(content, chance):
    """Heads that contradict the series, and a series that is much longer than all others."""
    text = content.decode()
    number = chance.choice(HUGE)
    claims = (
        f"@seriesLength {number}\n",
        f"@dimensions {number}\n",
        f"@classLabel true {'x ' * 5000}\n",
        "@timeStamps true\n",
        "@targetLabel true\n",
        "@data\n",
        f"@{'k' * 10_000} {number}\n",
    )
    if chance.random() < 0.4:
        return (text + "\n" + "1," * 200_000 + "1:a\n" + "1:b\n" * 20_000).encode()
    head, mark, rest = text.partition("@data")
    return (chance.choice(claims) + head + mark + rest).encode()


def _delimited(content, chance):
    """Columns, cells and rows without end, names that are no names."""
    first, _, rest = content.partition(b"\n")
    sign = b"\t" if b"\t" in first else b";" if b";" in first else b","
    heads = (
        first + (sign + b"x") * 20_000,
        first + sign.join([b""] * 500),
        sign.join([first.split(sign)[0]] * (first.count(sign) + 1)),
        b"\xef\xbb\xbf\xef\xbb\xbf" + first,
        b'"' + first,
        b"#" * 1_000_000,
    )
    if chance.random() < 0.7:
        return chance.choice(heads) + b"\n" + rest
    cells = (b"9" * 100_000, b"1e" + b"9" * 300, b"a" * 1_000_000, b'"' + sign * 50_000, b"\x00" * 1000)
    return content + sign.join([chance.choice(cells)] * (first.count(sign) + 1)) + b"\n"


def _parquet(content, chance):
    """A footer of another length than it has."""
    return content[:-8] + struct.pack("<I", chance.choice(HUGE)) + content[-4:]


_KINDS = {
    ".png": _png,
    ".jpg": _jpeg,
    "idx": _idx,
    ".npz": _npz,
    ".ts": _series,
    ".csv": _delimited,
    ".tsv": _delimited,
    ".parquet": _parquet,
}
