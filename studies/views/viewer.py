"""The viewer's files, for people who are signed in, under the narrowest policy it runs with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from accounts.permissions import signed_in
from config.viewer import FOLDER
from consent.rules.decision import Action
from consent.services.decisions import authorise, decide
from policies.rules.categories import CARE_DATA
from policies.rules.gate import uses
from policies.rules.purposes import Purpose
from studies.selectors import resource_of, study_named

# The decoders are WebAssembly; the viewer's components write their own styles into elements.
DOCUMENT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; "
    "connect-src 'self'; object-src 'self' blob:; frame-src 'self' blob:; manifest-src 'self'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
)
# Acts only where a script runs as a worker: two decoders there compile their glue from text.
SCRIPT_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-eval' 'wasm-unsafe-eval'; connect-src 'self'"
)
# Other routes of the viewer open files of this computer or addresses of the reader's choice.
ROUTES: Final = {"viewer", "basic", "segmentation", "notfoundstudy"}
_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".wasm": "application/wasm",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def viewer(request: HttpRequest, path: str) -> HttpResponseBase:
    """Serve the viewer's page for its own routes, and the files under its release's name."""
    name = _release()
    if not name:
        return render(request, "studies/viewer_missing.html", status=503)
    if path.startswith(f"{name}/"):
        return _asset(request, path.removeprefix(f"{name}/"))
    if not path:
        return redirect("studies:worklist")
    if path.strip("/") not in ROUTES:
        raise Http404
    _refuse_unreleased(request)
    return _page(request)


@signed_in
@require_safe
@uses(Purpose.TREATMENT, *CARE_DATA)
def viewer_refused(request: HttpRequest, uid: str) -> HttpResponse:
    """Say why the viewer got no pixels; it comes here by itself when the server refuses."""
    study = study_named(request.actor, uid)
    if study is None:
        raise Http404
    authorise(
        actor=request.actor,
        action=Action.VIEW,
        resource=resource_of(study),
        event="study.opened",
    )
    return render(request, "studies/viewer_partly.html", {"study": study})


def _refuse_unreleased(request: HttpRequest) -> None:
    """Turn away, with the reason, from a study that is not released; pixels are decided later."""
    wanted = ",".join(request.GET.getlist("StudyInstanceUIDs"))
    for uid in _uids(wanted.split(",")):
        study = study_named(request.actor, uid)
        if study is None:
            raise Http404
        resource = resource_of(study)
        decision = decide(actor=request.actor, action=Action.VIEW, resource=resource)
        if not decision.is_permit:
            authorise(
                actor=request.actor,
                action=Action.VIEW,
                resource=resource,
                event="study.viewed",
                decision=decision,
            )


def _uids(texts: Iterable[str]) -> list[str]:
    return [text for text in texts if re.fullmatch(r"[0-9.]{1,64}", text)][:20]


@ensure_csrf_cookie
def _page(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - the decorator needs it
    response = HttpResponse((FOLDER / "index.html").read_bytes())
    response["Content-Security-Policy"] = DOCUMENT_POLICY
    response["Cache-Control"] = "private, no-cache"
    return response


def _asset(request: HttpRequest, name: str) -> HttpResponseBase:
    path = _files().get(name)
    if path is None:
        raise Http404
    sent, encoding = _encoded(path, request.headers.get("Accept-Encoding", ""))
    response = FileResponse(sent.open("rb"), content_type=_TYPES[path.suffix])
    if encoding:
        response["Content-Encoding"] = encoding
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    if path.suffix == ".js":
        response["Content-Security-Policy"] = SCRIPT_POLICY
    return response


def _encoded(path: Path, accepted: str) -> tuple[Path, str]:
    known = {one.partition(";")[0].strip() for one in accepted.split(",")}
    for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
        packed = path.with_name(path.name + suffix)
        if encoding in known and packed.is_file():
            return packed, encoding
    return path, ""


@lru_cache(maxsize=1)
def _files() -> dict[str, Path]:
    """Every file that may be asked for, by its name: no path comes from a request."""
    return {
        path.relative_to(FOLDER).as_posix(): path
        for path in FOLDER.rglob("*")
        if path.suffix in _TYPES and path.is_file()
    }


@lru_cache(maxsize=1)
def _built() -> str:
    return (FOLDER / "release").read_text()


def _release() -> str:
    """The release that is built; empty where there is none yet, which is asked again."""
    try:
        return _built()
    except FileNotFoundError:
        return ""
