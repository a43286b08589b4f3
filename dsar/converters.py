from django.urls import register_converter

from dsar.rules.numbers import PATTERN


class NumberConverter:
    """The number of a case in an address."""

    regex = PATTERN.pattern

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(NumberConverter, "case_number")
