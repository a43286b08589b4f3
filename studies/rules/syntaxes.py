"""The transfer syntaxes that the gate knows: a closed table (DICOM PS3.5 section 10, PS3.6 A-1)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Syntax:
    """How a data set is written; `codec` names the family of a compressed image ("" if native)."""

    uid: str
    explicit: bool = True
    big_endian: bool = False
    deflated: bool = False
    codec: str = ""

    @property
    def encapsulated(self) -> bool:
        """Whether pixel data are wrapped in fragments (DICOM PS3.5 A.4)."""
        return bool(self.codec)


_ROOT = "1.2.840.10008.1.2"
_CODECS = {
    "jpeg": [f"4.{process}" for process in (*range(50, 67), 70)],
    "jpeg-ls": ["4.80", "4.81"],
    "jpeg-2000": ["4.90", "4.91", "4.92", "4.93", "4.201", "4.202", "4.203"],
    "jpeg-xl": ["4.110", "4.111", "4.112"],
    "video": [
        "4.100",
        "4.100.1",
        "4.101",
        "4.101.1",
        "4.102",
        "4.102.1",
        "4.103",
        "4.103.1",
        "4.104",
        "4.104.1",
        "4.105",
        "4.105.1",
        "4.106",
        "4.106.1",
        "4.107",
        "4.108",
    ],
    "rle": ["5"],
    "uncompressed": ["1.98"],
    "deflated-frame": ["8.1"],
}

SYNTAXES = {
    syntax.uid: syntax
    for syntax in (
        Syntax(_ROOT, explicit=False),
        Syntax(_ROOT + ".1"),
        Syntax(_ROOT + ".1.99", deflated=True),
        Syntax(_ROOT + ".2", big_endian=True),
        *(
            Syntax(f"{_ROOT}.{suffix}", codec=codec)
            for codec, suffixes in _CODECS.items()
            for suffix in suffixes
        ),
    )
}
