"""Which data of an account can be given out, by name. Pure."""

from __future__ import annotations

from enum import StrEnum


class Part(StrEnum):
    SIGN_INS = "sign-ins"
    DETAILS = "details"


PART_LABELS = {
    Part.SIGN_INS: "The record of sign-ins",
    Part.DETAILS: "Name, addresses and profession",
}
