"""Write `dictionary.txt` from pydicom's dictionary; run by hand, never imported by the server.

python -m studies.rules.dictionary_build > studies/rules/dictionary.txt
"""

import sys
from collections import defaultdict

from pydicom import __version__
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary


def by_vr() -> dict[str, list[str]]:
    """Group the tags of DICOM PS3.6 (hexadecimal, `x` in repeating groups) by their VR."""
    groups: dict[str, list[str]] = defaultdict(list)
    for tag, entry in DicomDictionary.items():
        groups[entry[0]].append(f"{tag:08X}")
    for mask, entry in RepeatersDictionary.items():
        groups[entry[0]].append(mask)
    return {vr: sorted(tags) for vr, tags in sorted(groups.items())}


def source() -> str:
    """Return the table's text, one VR a line, stable for one release of pydicom."""
    lines = [f"# Tags of DICOM PS3.6 by VR, from pydicom {__version__}; x stands for any digit."]
    lines += [f"{vr}\t{' '.join(tags)}" for vr, tags in by_vr().items()]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(source())
