"""Invented images for the demonstration: phantoms drawn with numpy, written with pydicom.

The same call gives the same bytes every time, so that sending them again stores nothing. Nobody
and no animal in them exists. Imported by the commands that need it only: numpy and pydicom stay
out of the web server.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from studies.rules.demo_uids import uid_of

Plane = NDArray[np.float64]

CT_STORAGE = "1.2.840.10008.5.1.4.1.1.2"
MR_STORAGE = "1.2.840.10008.5.1.4.1.1.4"
US_MULTIFRAME_STORAGE = "1.2.840.10008.5.1.4.1.1.3.1"
DX_STORAGE = "1.2.840.10008.5.1.4.1.1.1.1"

CT_SIZE, CT_SPACING, CT_SLICE = 192, 1.8, 4.0  # pixels, mm, mm
MR_SIZE, MR_SPACING, MR_SLICE = 192, 1.2, 5.0
US_ROWS, US_COLUMNS = 240, 320
DX_SIZE, DX_SPACING = 640, 0.6


def as_part10(dataset: Dataset) -> bytes:
    """Write a dataset as a DICOM file, explicit VR little endian (PS3.10)."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta = meta
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _object(
    sop_class: str, attributes: dict[str, Any], *, study: str, series: str, number: int
) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = uid_of(study, series, str(number))
    dataset.StudyInstanceUID = uid_of(study)
    dataset.SeriesInstanceUID = uid_of(study, series)
    dataset.FrameOfReferenceUID = uid_of(study, "frame of reference")
    dataset.InstanceNumber = number
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.Manufacturer = "Invented for a demonstration"
    dataset.PatientBirthDate = ""
    dataset.StudyID = ""
    dataset.AccessionNumber = ""
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def _set_pixels(dataset: Dataset, pixels: NDArray[Any], *, stored: int) -> None:
    """Attach grey pixels (rows, columns) of at most ``stored`` bits (PS3.3 C.7.6.3)."""
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, stored, stored - 1
    dataset.PixelRepresentation = 0
    top = float(2**stored - 1)
    dataset.PixelData = np.clip(np.rint(pixels), 0, top).astype("<u2").tobytes()


def _grid(rows: int, columns: int, spacing: float) -> tuple[Plane, Plane]:
    """Give x (to the patient's left) and y (to the back) of each pixel, in mm from the middle."""
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float64)
    return (x - (columns - 1) / 2) * spacing, (y - (rows - 1) / 2) * spacing


def _inside(x: Plane, y: Plane, centre: tuple[float, float], radii: tuple[float, float]) -> Any:
    if min(radii) <= 0:
        return np.zeros(x.shape, dtype=bool)
    return ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1


def _place(dataset: Dataset, *, size: int, spacing: float, z: float, thickness: float) -> None:
    """Put an axial slice at its place in the patient (PS3.3 C.7.6.2)."""
    edge = -(size - 1) / 2 * spacing
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.ImagePositionPatient = [round(edge, 3), round(edge, 3), round(z, 3)]
    dataset.PixelSpacing = [spacing, spacing]
    dataset.SliceThickness = thickness
    dataset.SpacingBetweenSlices = thickness
    dataset.SliceLocation = round(z, 3)


# A chest in CT -----------------------------------------------------------------------------------
def chest_ct(attributes: dict[str, Any], *, study: str, slices: int = 40) -> Iterator[bytes]:
    """Give the slices of a chest from the diaphragm up, with a nodule in the right lung."""
    x, y = _grid(CT_SIZE, CT_SIZE, CT_SPACING)
    noise = np.random.default_rng(1895)
    for number in range(1, slices + 1):
        z = (number - 1) * CT_SLICE
        dataset = _object(CT_STORAGE, attributes, study=study, series="axial", number=number)
        dataset.Modality = "CT"
        dataset.SeriesNumber, dataset.SeriesDescription = 2, "Chest axial, soft tissue"
        dataset.BodyPartExamined, dataset.PatientPosition = "CHEST", "HFS"
        dataset.KVP, dataset.ConvolutionKernel = 120, "STANDARD"
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = -1024, 1, "HU"
        dataset.WindowCenter, dataset.WindowWidth = [40, -600], [400, 1500]
        dataset.WindowCenterWidthExplanation = ["Soft tissue", "Lung"]
        _place(dataset, size=CT_SIZE, spacing=CT_SPACING, z=z, thickness=CT_SLICE)
        units = _chest_slice(x, y, z, slices * CT_SLICE) + noise.normal(0, 8, x.shape)
        _set_pixels(dataset, units + 1024, stored=12)
        yield as_part10(dataset)


def _chest_slice(x: Plane, y: Plane, z: float, height: float) -> Plane:
    """Draw one slice, in Hounsfield units; ``z`` is mm above the lowest one."""
    up = z / height
    units = np.full(x.shape, -1000.0)
    units[_inside(x, y, (0, 0), (158, 112))] = -90  # fat
    units[_inside(x, y, (0, 0), (148, 102))] = 45  # muscle
    width, depth = 62 * (1 - 0.45 * up**3), 84 * (1 - 0.5 * up**3)
    for side in (-1, 1):
        for angle in np.linspace(-1.35, 1.35, 9) + up * 0.35:
            rib = (side * 138 * np.cos(angle), 92 * np.sin(angle))
            units[_inside(x, y, rib, (7, 5))] = 620
        units[_inside(x, y, (side * 74, -4), (width, depth))] = -840  # lung
        for branch in range(1, 6):
            vessel = (side * (30 + 15 * branch), 18 * np.sin(branch * 2.1 + up * 6))
            units[_inside(x, y, vessel, (4.5 - branch * 0.5, 4.5 - branch * 0.5))] = 40
    # The patient's right is on the left of the picture: there the liver rises under the lung.
    dome = 60 * (1 - up / 0.3)
    units[_inside(x, y, (-70, 6), (dome, dome * 1.2))] = 95
    _draw_middle(units, x, y, up)
    nodule = 9.0**2 - (z - 0.62 * height) ** 2
    radius = float(np.sqrt(nodule)) if nodule > 0 else 0.0
    units[_inside(x, y, (-92, -22), (radius, radius))] = 35
    return units


def _draw_middle(units: Plane, x: Plane, y: Plane, up: float) -> None:
    """Draw heart, great vessels, windpipe, spine and breastbone."""
    heart = 1 - ((up - 0.32) / 0.36) ** 2
    if heart > 0:
        size = float(np.sqrt(heart))
        units[_inside(x, y, (20, -26), (58 * size, 44 * size))] = 48
        units[_inside(x, y, (34, -22), (22 * size, 18 * size))] = 170  # contrast in the ventricle
    units[_inside(x, y, (16, 46), (12, 12))] = 190  # descending aorta
    if up > 0.55:
        units[_inside(x, y, (0, -18), (30, 30))] = 48
        units[_inside(x, y, (6, -30), (16, 13))] = 185  # ascending aorta
        units[_inside(x, y, (0, 8), (9, 9))] = -980  # windpipe
    units[_inside(x, y, (0, 70), (20, 16))] = 420
    units[_inside(x, y, (0, 71), (14, 11))] = 210
    units[_inside(x, y, (0, 92), (8, 7))] = 25
    units[_inside(x, y, (0, 106), (5, 9))] = 480
    units[_inside(x, y, (0, -96), (15, 5))] = 430


# A head in MR ------------------------------------------------------------------------------------
# Signal of scalp, skull, brain fluid, grey and white matter, lesion for each weighting.
_WEIGHTINGS = {
    "T1": {"scalp": 900, "skull": 60, "fluid": 120, "grey": 430, "white": 620, "lesion": 300},
    "T2": {"scalp": 700, "skull": 60, "fluid": 1000, "grey": 560, "white": 400, "lesion": 860},
}


def head_mr(attributes: dict[str, Any], *, study: str, slices: int = 22) -> Iterator[bytes]:
    """Give a T1- and a T2-weighted axial series of a head with a small bright lesion."""
    x, y = _grid(MR_SIZE, MR_SIZE, MR_SPACING)
    noise = np.random.default_rng(1973)
    for place, (weighting, signals) in enumerate(_WEIGHTINGS.items(), start=1):
        for number in range(1, slices + 1):
            dataset = _object(MR_STORAGE, attributes, study=study, series=weighting, number=number)
            dataset.Modality = "MR"
            dataset.SeriesNumber, dataset.SeriesDescription = place, f"{weighting} axial"
            dataset.BodyPartExamined, dataset.PatientPosition = "HEAD", "HFS"
            dataset.ScanningSequence, dataset.SequenceVariant = "SE", "NONE"
            dataset.ScanOptions, dataset.MRAcquisitionType = "", "2D"
            dataset.RepetitionTime, dataset.EchoTime = (500, 15) if place == 1 else (4000, 100)
            dataset.MagneticFieldStrength = 1.5
            dataset.WindowCenter, dataset.WindowWidth = 500, 1000
            z = (number - 1) * MR_SLICE
            _place(dataset, size=MR_SIZE, spacing=MR_SPACING, z=z, thickness=MR_SLICE)
            signal = _head_slice(x, y, z / (slices * MR_SLICE), signals)
            _set_pixels(dataset, signal + np.abs(noise.normal(0, 12, x.shape)), stored=12)
            yield as_part10(dataset)


def _head_slice(x: Plane, y: Plane, up: float, signals: dict[str, int]) -> Plane:
    """Draw one slice; ``up`` is 0 at the base of the skull and 1 at the crown."""
    round_ = float(np.sqrt(max(0.05, 1 - (max(0.0, up - 0.35) / 0.68) ** 2)))
    signal = np.zeros(x.shape)
    for name, wide, deep in (
        ("scalp", 78, 98), ("skull", 73, 93), ("fluid", 67, 87), ("grey", 65, 85),
        ("white", 54, 74),
    ):  # fmt: skip
        signal[_inside(x, y, (0, 0), (wide * round_, deep * round_))] = signals[name]
    # Folds of the cortex: grey matter reaches into the white.
    angle, distance = np.arctan2(y, x), np.hypot(x / 60, y / 80) / round_
    folds = (np.sin(angle * 17) > 0.72) & (distance > 0.62) & (distance < 1)
    signal[folds & (signal == signals["white"])] = signals["grey"]
    open_ = 1 - ((up - 0.5) / 0.22) ** 2
    if open_ > 0:
        size = float(np.sqrt(open_))
        for side in (-1, 1):
            signal[_inside(x, y, (side * 13, -8), (8 * size, 26 * size))] = signals["fluid"]
            signal[_inside(x, y, (side * 26, 4), (8, 14))] = signals["grey"]
    signal[(np.abs(x) < 1.2) & (signal == signals["white"])] = signals["fluid"]
    near = 1 - ((up - 0.58) / 0.08) ** 2
    if near > 0:
        signal[_inside(x, y, (30, -34), (8 * near, 7 * near))] = signals["lesion"]
    return signal


# A beating vessel in ultrasound ------------------------------------------------------------------
def vessel_ultrasound(
    attributes: dict[str, Any], *, study: str, frames: int = 20
) -> Iterator[bytes]:
    """Give one colour clip: a vessel across a fan of tissue, with flow in red and blue."""
    dataset = _object(US_MULTIFRAME_STORAGE, attributes, study=study, series="clip", number=1)
    dataset.Modality = "US"
    dataset.SeriesNumber, dataset.SeriesDescription = 1, "Carotid, colour flow"
    dataset.BodyPartExamined = "NECK"
    dataset.NumberOfFrames, dataset.FrameTime = frames, 50
    dataset.FrameIncrementPointer = 0x00181063  # FrameTime
    dataset.CineRate = 20
    dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
    dataset.PhotometricInterpretation = "RGB"
    dataset.Rows, dataset.Columns = US_ROWS, US_COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PixelRepresentation = 0
    dataset.LossyImageCompression = "00"
    noise = np.random.default_rng(1956)
    speckle = noise.rayleigh(34, (US_ROWS, US_COLUMNS))
    clip = np.stack([_flow_frame(speckle, at / frames) for at in range(frames)])
    # As such devices do: whose it is stands in the pixels, too.
    clip[:, _written_into(dataset)] = 230
    dataset.BurnedInAnnotation = "YES"
    dataset.PixelData = clip.tobytes()
    yield as_part10(dataset)


def _written_into(dataset: Dataset) -> NDArray[np.bool_]:
    """Where the letters of a device's header stand: name, number and day of the examination."""
    picture = Image.new("L", (US_COLUMNS, US_ROWS))
    # Devices know ASCII, and so does the font.
    plain = unicodedata.normalize("NFKD", str(dataset.PatientName)).encode("ascii", "ignore")
    name = plain.decode().replace("^", ", ").upper()
    lines = f"{name}  {dataset.PatientID}", str(dataset.get("StudyDate", ""))
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    draw.text((6, 3), lines[0], fill=255, font=font)
    draw.text((6, US_ROWS - 18), lines[1], fill=255, font=font)
    return np.asarray(picture) > 110


def _flow_frame(speckle: Plane, phase: float) -> NDArray[np.uint8]:
    """Draw one frame (rows, columns, RGB); ``phase`` runs from 0 to 1 over a heartbeat."""
    y, x = np.mgrid[0:US_ROWS, 0:US_COLUMNS].astype(np.float64)
    from_probe, aside = np.hypot(x - 160, y + 60), np.arctan2(x - 160, y + 60)
    fan = (np.abs(aside) < 0.62) & (from_probe > 75) & (from_probe < 292)
    grey = speckle * np.clip(1.5 - from_probe / 300, 0.3, 1.2)
    pulse = 1 + 0.16 * np.sin(2 * np.pi * phase)
    middle = 112 + 8 * np.sin(x / 60)
    wall = np.abs(np.abs(y - middle) - 24 * pulse) < 3
    lumen = np.abs(y - middle) < 24 * pulse - 3
    grey = np.where(wall, 190, np.where(lumen, speckle * 0.08, grey))
    image = np.repeat(np.clip(grey, 0, 255)[..., None], 3, axis=2)
    speed = (0.55 + 0.45 * np.sin(2 * np.pi * phase)) * (1 - ((y - middle) / (24 * pulse)) ** 2)
    box = lumen & (x > 90) & (x < 230)
    image[..., 0][box] = np.clip(70 + 185 * speed, 0, 255)[box]
    image[..., 2][box & (speed < 0.12)] = 210
    image[~fan] = 0
    image[:, 300:308] = np.linspace(255, 0, US_ROWS)[:, None, None] * np.array([1.0, 0.1, 0.1])
    return image.astype(np.uint8)


# A dog in projection radiography -----------------------------------------------------------------
def dog_radiographs(attributes: dict[str, Any], *, study: str) -> Iterator[bytes]:
    """Give two views of a dog's chest: from the side and from below."""
    x, y = _grid(DX_SIZE, DX_SIZE, DX_SPACING)
    noise = np.random.default_rng(1896)
    views = (
        ("Thorax lateral", "LL", _dog_from_the_side),
        ("Thorax ventrodorsal", "VD", _dog_from_below),
    )
    for number, (description, view, draw) in enumerate(views, start=1):
        dataset = _object(DX_STORAGE, attributes, study=study, series=view, number=1)
        dataset.Modality = "DX"
        dataset.SeriesNumber, dataset.SeriesDescription = number, description
        dataset.BodyPartExamined, dataset.ViewPosition = "CHEST", view
        dataset.PresentationIntentType = "FOR PRESENTATION"
        dataset.ImagerPixelSpacing = [DX_SPACING, DX_SPACING]
        dataset.PixelSpacing = [DX_SPACING, DX_SPACING]
        dataset.PatientOrientation = ["A", "F"] if view == "LL" else ["L", "F"]
        dataset.ImageLaterality, dataset.BurnedInAnnotation = "U", "NO"
        dataset.PixelIntensityRelationship, dataset.PixelIntensityRelationshipSign = "LOG", -1
        dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = 0, 1, "US"
        dataset.PresentationLUTShape, dataset.LossyImageCompression = "IDENTITY", "00"
        dataset.WindowCenter, dataset.WindowWidth = 2048, 4096
        _set_pixels(dataset, draw(x, y) + noise.normal(0, 25, x.shape), stored=12)
        yield as_part10(dataset)


def _depth(x: Plane, y: Plane, centre: tuple[float, float], radii: tuple[float, float]) -> Plane:
    """How much of an ellipsoid the ray goes through: 1 in its middle, 0 outside."""
    rest = 1 - ((x - centre[0]) / radii[0]) ** 2 - ((y - centre[1]) / radii[1]) ** 2
    return np.sqrt(np.clip(rest, 0, None))


def _dog_from_the_side(x: Plane, y: Plane) -> Plane:
    image = 300 + 1500 * _depth(x, y, (10, 0), (185, 105))
    image -= 900 * _depth(x, y, (-15, -8), (95, 62))  # lungs full of air
    image += 1100 * _depth(x, y, (-25, 22), (40, 34))  # heart
    image += 1000 * _depth(x, y, (95, 10), (52, 70))  # liver
    image -= 500 * _depth(x, y, (-70, -22), (70, 6))  # windpipe
    spine = -72 + (x / 60) ** 2 * 3
    for place in range(-8, 9):
        image += 1300 * _depth(x, y - spine, (place * 21.0, 0), (9.5, 11))
        image += 500 * _depth(x, y - spine, (place * 21.0 + 4, -17), (4, 12))
    for place in range(-6, 6):
        rib = np.abs(x - place * 19 - 0.35 * (y + 65)) < 2.4
        image[rib & (y > -62) & (y < 62)] += 420
    image[_inside(x, y, (-142, 92), (26, 60))] += 900  # foreleg
    return image


def _dog_from_below(x: Plane, y: Plane) -> Plane:
    image = 300 + 1600 * _depth(x, y, (0, 10), (112, 185))
    for side in (-1, 1):
        image -= 900 * _depth(x, y, (side * 46, -20), (38, 100))
        for place in range(-6, 6):
            rib = np.abs(y - place * 18 - 20 - 0.003 * x**2) < 2.2
            image[rib & (side * x > 10) & (side * x < 96)] += 260
    image += 1000 * _depth(x, y, (12, -5), (40, 52))
    image += 900 * _depth(x, y, (0, 100), (92, 48))
    for place in range(-9, 10):
        image += 900 * _depth(x, y, (0, place * 19.0), (11, 8))
    return image
