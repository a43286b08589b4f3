from django.urls import register_converter


class UidConverter:
    """A DICOM unique identifier: at most 64 digits and dots (PS3.5 section 9.1)."""

    regex = r"[0-9.]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(UidConverter, "uid")
