"""An independent client, over a real connection, stores, searches and retrieves with a token."""

from __future__ import annotations

from io import BytesIO

import pydicom
import pytest
from dicomweb_client.api import DICOMwebClient
from requests.exceptions import HTTPError

from .conftest import VET, Portal
from .objects import PIXELS, an_object, uid

pytestmark = pytest.mark.django_db(databases=["default", "keys"], transaction=True)


def client_of(live_server, portal: Portal, *email: str) -> DICOMwebClient:
    token = portal.token(*email)
    return DICOMwebClient(
        f"{live_server.url}/dicom-web", headers={"Authorization": f"Bearer {token}"}
    )


def dataset(data: bytes) -> pydicom.Dataset:
    return pydicom.dcmread(BytesIO(data))


@pytest.fixture
def client(live_server, living_portal: Portal) -> DICOMwebClient:
    client = client_of(live_server, living_portal)
    client.store_instances([dataset(an_object(number=n)) for n in (1, 2)])
    return client


def test_a_client_stores_and_finds_what_it_stored(client: DICOMwebClient) -> None:
    (study,) = client.search_for_studies(search_filters={"PatientName": "Test*"})
    assert study["0020000D"]["Value"] == [uid("1")]
    assert study["00201208"]["Value"] == [2]
    (series,) = client.search_for_series(uid("1"))
    assert series["0020000E"]["Value"] == [uid("1.1")]
    assert len(client.search_for_instances(uid("1"), uid("1.1"))) == 2
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []
    assert len(client.search_for_studies(limit=1, fuzzymatching=True)) == 1


def test_a_client_retrieves_objects_as_they_are_stored(client: DICOMwebClient) -> None:
    one = client.retrieve_instance(uid("1"), uid("1.1"), uid("1.1.1"))
    assert (one.SOPInstanceUID, one.PatientName) == (uid("1.1.1"), "Test^Invented")
    assert one.PixelData == PIXELS
    assert len(client.retrieve_study(uid("1"))) == 2
    assert len(client.retrieve_series(uid("1"), uid("1.1"))) == 2


def test_a_client_reads_descriptions_frames_and_bulk_values(client: DICOMwebClient) -> None:
    assert len(client.retrieve_study_metadata(uid("1"))) == 2
    metadata = client.retrieve_instance_metadata(uid("1"), uid("1.1"), uid("1.1.2"))
    read = pydicom.Dataset.from_json(metadata, bulk_data_uri_handler=lambda _: b"")
    assert (read.SOPInstanceUID, read.Rows) == (uid("1.1.2"), 8)
    assert client.retrieve_instance_frames(uid("1"), uid("1.1"), uid("1.1.1"), [1]) == [PIXELS]
    where = client.base_url.removesuffix("/dicom-web") + metadata["7FE00010"]["BulkDataURI"]
    assert client.retrieve_bulkdata(where) == [PIXELS]


def test_a_client_is_refused_what_is_not_its_own(
    client: DICOMwebClient, live_server, living_portal: Portal
) -> None:
    stranger = client_of(live_server, living_portal, VET)
    assert stranger.search_for_studies() == []
    with pytest.raises(HTTPError) as refused:
        stranger.retrieve_study(uid("1"))
    assert refused.value.response.status_code == 404


def test_a_client_is_told_of_a_conflict(client: DICOMwebClient) -> None:
    with pytest.raises(HTTPError) as refused:
        client.store_instances([dataset(an_object(number=1, pixels=bytes(64)))])
    assert refused.value.response.status_code == 409
