"""Pictures reach whoever may see them, and nobody else; frames mean what their header says."""

import io
import re
import time
import zlib
from pathlib import Path
from uuid import UUID

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from accounts.rules import Scope
from consent.rules.decision import Item
from consent.services.grants import revoke_grant
from studies.gateways.decoder import FramePart, render_frame
from studies.rules import rendering as rules
from studies.rules.wado import RetrievalInvalid
from studies.services import rendering
from studies.services.rendering import _Pictures
from tests.studies.conftest import COLLEAGUE, OFFICER, Portal

from . import hostile
from .hostile import part10
from .objects import PDF, encapsulated, undecodable

pytestmark = pytest.mark.django_db(databases=["default", "keys"])

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
CT = (FOLDER / "CT_small.dcm").read_bytes()


def put(portal: Portal, *objects: bytes) -> str:
    """Take objects in and return the DICOMweb path of the first."""
    result = portal.take(*objects)[0]
    assert result.status.is_kept, result.sentence
    return (
        f"/dicom-web/studies/{result.study}/series/{result.series}/instances/{result.sop_instance}"
    )


def picture(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.content
    return np.asarray(Image.open(io.BytesIO(answer.content)))


def test_an_object_is_drawn_as_its_window_says(portal: Portal):
    path = put(portal, CT)
    answer = portal.client().get(f"{path}/rendered?window=40,400", headers={"accept": "image/png"})
    assert answer["Content-Type"] == "image/png"
    ds = pydicom.dcmread(io.BytesIO(CT))
    units = ds.pixel_array * float(ds.RescaleSlope) + float(ds.RescaleIntercept)
    wanted = ((units - 39.5) / 399 + 0.5).clip(0, 1) * 255
    assert np.abs(picture(answer).astype(int) - wanted).max() <= 1


def test_a_window_may_have_another_function(portal: Portal):
    path = put(portal, CT)
    client = portal.client()
    drawn = {
        name: picture(client.get(f"{path}/rendered?window=40,400,{name}", HTTP_ACCEPT="image/png"))
        for name in ("linear", "sigmoid")
    }
    assert (drawn["linear"] != drawn["sigmoid"]).any()


def test_a_picture_fits_the_viewport_and_can_be_a_part(portal: Portal):
    path, client = put(portal, CT), portal.client()
    assert picture(client.get(f"{path}/rendered?viewport=32,64")).shape == (32, 32)
    part = client.get(f"{path}/rendered?viewport=100,100,0,0,16,8", HTTP_ACCEPT="image/png")
    assert picture(part).shape == (8, 16)


@pytest.mark.parametrize(
    "query",
    [
        "viewport=100000,100000", "viewport=0,5", "viewport=10", "viewport=a,b", "viewport=-1,5",
        "viewport=1,2,3", "quality=0", "quality=101", "quality=x", "window=1", "window=1,0",
        "window=nan,5", "window=1,2,best", "annotation=everything", "viewport=9,9,5000,5000,1,1",
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_with_a_sentence(portal: Portal, query: str):
    answer = portal.client().get(f"{put(portal, CT)}/rendered?{query}")
    assert answer.status_code == 400
    assert answer.json()["detail"].endswith(".")


def test_jpeg_is_the_default_and_the_header_decides(portal: Portal):
    path, client = put(portal, CT), portal.client()
    browser = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
    types = {
        accept: client.get(f"{path}/rendered", headers={"accept": accept}).headers["Content-Type"]
        for accept in ("*/*", browser, "image/png;q=0.5, image/jpeg;q=0.1", "image/jpeg")
    }
    assert list(types.values()) == ["image/jpeg", "image/jpeg", "image/png", "image/jpeg"]
    answer = client.get(f"{path}/rendered", headers={"accept": "video/mp4"})
    assert answer.status_code == 406


def test_each_frame_is_drawn_and_a_missing_one_is_told(portal: Portal):
    data = part10(
        t00280008=("IS", "2"), t7FE00010=("OB", bytes([0] * 64 + [200] * 63 + [0])),
        **hostile.size_of(8, 8),
    )  # fmt: skip
    path, client = put(portal, data), portal.client()
    first, second = (
        picture(client.get(f"{path}/frames/{n}/rendered?window=128,256", HTTP_ACCEPT="image/png"))
        for n in (1, 2)
    )
    assert first.max() == 0
    assert second.max() > 150
    assert client.get(f"{path}/frames/3/rendered").status_code == 404
    assert client.get(f"{path}/frames/0/rendered").status_code == 400
    assert client.get(f"{path}/frames/1,2/rendered").status_code == 400


def test_thumbnails_stand_for_frame_object_series_and_study(portal: Portal):
    path, client = put(portal, CT), portal.client()
    parts = path.split("/")
    for place in (f"{path}/frames/1", path, "/".join(parts[:6]), "/".join(parts[:4])):
        drawn = picture(client.get(f"{place}/thumbnail?viewport=48,48", HTTP_ACCEPT="image/jpeg"))
        assert drawn.shape == (48, 48)


def test_an_object_without_pixels_says_so(portal: Portal):
    report = (FOLDER / "reportsi.dcm").read_bytes()
    path, client = put(portal, report), portal.client()
    for what in ("rendered", "thumbnail"):
        answer = client.get(f"{path}/{what}", HTTP_ACCEPT="image/jpeg")
        assert (answer.status_code, answer.json()["code"]) == (404, "no-pixels")


def test_pixels_that_cannot_be_decoded_are_a_clear_refusal(portal: Portal):
    path = put(portal, undecodable())
    answer = portal.client().get(f"{path}/rendered")
    assert answer.status_code == 422
    assert answer.json()["detail"] == "The pixels cannot be decoded."


@pytest.mark.parametrize("extra", [b"", b"x" * 5000], ids=["small", "large"])
def test_an_encapsulated_pdf_is_sent_as_one_and_framed_only_by_us(portal: Portal, extra: bytes):
    path = put(portal, encapsulated(PDF + extra))
    answer = portal.client().get(
        f"{path}/rendered", headers={"accept": "text/html,application/xml;q=0.9,*/*;q=0.8"}
    )
    assert answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(PDF + extra)
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in answer["Content-Security-Policy"]


def test_what_only_claims_to_be_a_pdf_is_not_sent(portal: Portal):
    path = put(portal, encapsulated(b"<html><script>alert(1)</script></html>"))
    answer = portal.client().get(f"{path}/rendered", headers={"accept": "*/*"})
    assert (answer.status_code, answer.json()["code"]) == (404, "no-document")


@pytest.mark.parametrize("name", ["examples_ybr_color.dcm", "SC_rgb_rle_2frame.dcm", "native"])
def test_a_frame_of_a_large_object_is_drawn_from_its_own_bytes_and_looks_the_same(
    portal: Portal, monkeypatch, small_ct, name: str
):
    if name == "native":
        ramp = np.arange(4 * 32 * 32, dtype="<u2") % 4096
        data = small_ct(size=32, NumberOfFrames=4, PixelData=ramp.tobytes())
    else:
        data = (FOLDER / name).read_bytes()
    path, client = put(portal, data), portal.client()
    address = f"{path}/frames/2/rendered?quality=90"
    whole = picture(client.get(address, HTTP_ACCEPT="image/png"))
    monkeypatch.setattr(rendering, "_SMALL", 0)
    monkeypatch.setattr(rendering, "_pictures", _Pictures(limit=1 << 20))
    sent = []
    monkeypatch.setattr(
        rendering, "render_frame",
        lambda source, **more: sent.append(source) or render_frame(source, **more),
    )  # fmt: skip
    part = picture(client.get(address, HTTP_ACCEPT="image/png"))
    assert isinstance(sent[0], FramePart)
    assert len(sent[0].header) + len(sent[0].pixels) < len(data) * 0.75
    assert (part == whole).all()


# Who may ------------------------------------------------------------------------------------------
def test_a_stranger_sees_no_picture_and_an_officer_is_told_why(portal: Portal):
    path = put(portal, CT)
    for what in ("rendered", "thumbnail", "frames/1/rendered", "frames/1/thumbnail"):
        assert portal.client(COLLEAGUE, Scope.READ).get(f"{path}/{what}").status_code == 404
        assert portal.client(OFFICER, Scope.READ).get(f"{path}/{what}").status_code == 403


def test_a_revoked_share_shows_no_picture_on_the_next_request_though_it_was_drawn(portal: Portal):
    path = put(portal, CT)
    grant = portal.share(Item(path.split("/")[3]))
    client = portal.client(COLLEAGUE, Scope.READ)
    assert client.get(f"{path}/rendered").status_code == 200
    revoke_grant(actor=portal.actor(fresh=True), grant=grant, reason="mistake")
    answer = client.get(f"{path}/rendered")
    assert (answer.status_code, answer.json()["code"]) == (403, "revoked")


def test_each_picture_is_one_event(portal: Portal):
    path, client = put(portal, CT), portal.client()
    for _ in range(2):
        client.get(f"{path}/rendered")
    events = portal.events("study.viewed")
    assert [event.details["rendered"] for event in events] == [1, 1]


def test_thirty_thumbnails_take_a_few_seconds(portal: Portal, small_ct):
    objects = [small_ct(number=number, size=512) for number in range(1, 31)]
    results = portal.take(*objects)
    client = portal.client()
    began = time.monotonic()
    for one in results:
        answer = client.get(
            f"/dicom-web/studies/{one.study}/series/{one.series}/instances/{one.sop_instance}"
            "/thumbnail?viewport=160,160"
        )
        assert answer.status_code == 200
    assert time.monotonic() - began < 8


# Frames that are not sent as they lie -------------------------------------------------------------
def frame(portal: Portal, data: bytes) -> bytes:
    answer = portal.client().get(
        f"{put(portal, data)}/frames/1", headers={"accept": "application/octet-stream"}
    )
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"].endswith("transfer-syntax=1.2.840.10008.1.2.1")
    return answer.content


def little_endian(ds: pydicom.Dataset) -> bytes:
    return ds.pixel_array.astype(ds.pixel_array.dtype.newbyteorder("<")).tobytes()


def test_big_endian_frames_are_sent_little_endian(portal: Portal):
    path = FOLDER / "MR_small_bigendian.dcm"
    assert frame(portal, path.read_bytes()) == little_endian(pydicom.dcmread(path))


def test_frames_of_a_deflated_object_are_inflated(portal: Portal):
    path = FOLDER / "image_dfl.dcm"
    assert frame(portal, path.read_bytes()) == little_endian(pydicom.dcmread(path))


def colour_422() -> bytes:
    return part10(
        t00280002=("US", hostile.word(3)), t00280004=("CS", "YBR_FULL_422"),
        t00280006=("US", hostile.word(0)),
        t7FE00010=("OB", bytes([90, 90, 100, 160] * (8 * 8 // 2))), **hostile.size_of(8, 8),
    )  # fmt: skip


def test_uncompressed_422_colour_is_sent_and_described_as_rgb(portal: Portal):
    data = colour_422()
    path = put(portal, data)
    client = portal.client()
    sent = client.get(f"{path}/frames/1", headers={"accept": "application/octet-stream"}).content
    assert len(sent) == 8 * 8 * 3
    described = client.get(f"{path}/metadata", HTTP_ACCEPT="application/dicom+json").json()[0]
    assert described["00280004"]["Value"] == ["RGB"]
    whole = client.get(path, headers={"accept": "application/dicom"})
    assert b"YBR_FULL_422" in b"".join(whole.streaming_content)


@given(
    body=st.binary(max_size=3000), start=st.integers(0, 3200), length=st.integers(0, 3200),
    cut=st.integers(1, 700),
)  # fmt: skip
def test_a_range_of_a_deflated_object_is_that_of_its_inflated_twin(body, start, length, cut):
    opening = CT[:128] + b"DICM" + hostile.meta(syntax=rules.DEFLATED)
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = opening + packer.compress(body) + packer.flush()
    pieces = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    start += len(opening)
    twin = opening + body
    assert rules.inflated_range(pieces, start, length) == twin[start : start + length]


# The request, and what is remembered --------------------------------------------------------------
@given(st.text(alphabet="0123456789,.-+eE abc", max_size=30))
def test_a_viewport_is_read_or_refused_and_never_out_of_bounds(text):
    try:
        wanted = rules.picture_of({"viewport": text, "window": "1,2"}, "*/*")
    except RetrievalInvalid as invalid:
        assert re.fullmatch(r"[A-Z].*\.", str(invalid))
    else:
        assert wanted is not None
        assert text == "" or 1 <= wanted.width <= rules.LONGEST_SIDE


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 200)), max_size=60))
def test_remembered_pictures_never_outgrow_their_limit(puts):
    held = _Pictures(limit=800)
    for frame_number, size in puts:
        held.put((UUID(int=1), 1, frame_number, rules.Picture()), bytes(size))
        kept = sum(map(len, held._held.values()))
        assert kept == held._size <= 800
