"""What the sealed values of a project are bound to."""

from __future__ import annotations

from uuid import UUID

from vault.rules.contexts import bind


def output_context(project_id: UUID) -> bytes:
    return bind("collimate/release-output", project_id)


def pseudonym_context(project_id: UUID) -> bytes:
    return bind("collimate/release-pseudonyms", project_id)


def link_context(project_id: UUID, code: str) -> bytes:
    return bind("collimate/release-link", project_id, code)


def source_context(project_id: UUID) -> bytes:
    return bind("collimate/release-source", project_id)
