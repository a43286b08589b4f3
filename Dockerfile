# The viewer, the packages, and the portal, which runs as nobody in particular.
# Base images can be pinned to a digest with --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=python:3.11-slim-bookworm
# The server of docker-compose.yml: pg_dump must not be older than what it dumps.
ARG POSTGRES_VERSION=16-bookworm

FROM postgres:${POSTGRES_VERSION} AS database

FROM ${PYTHON_IMAGE} AS packages
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /portal
RUN python -m venv /portal/.venv
COPY requirements/run.txt requirements/run.txt
RUN .venv/bin/pip install --require-hashes --no-deps -r requirements/run.txt

FROM packages AS viewer
COPY requirements/node.txt requirements/node.txt
RUN .venv/bin/pip install --require-hashes --no-deps -r requirements/node.txt
COPY config/__init__.py config/celery.py config/viewer.py config/
COPY config/viewer_assets config/viewer_assets
RUN PATH="/portal/.venv/bin:$PATH" .venv/bin/python -m config.viewer && rm -rf var/downloads

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="Collimate" \
      org.opencontainers.image.description="Share medical images under express consent, and prove it."
ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PATH="/portal/.venv/bin:$PATH" \
    DJANGO_SETTINGS_MODULE=config.settings DEPLOYED=1 STATE_DIR=/state BIND=0.0.0.0 PORT=8000
# Backups are made with the programs of that very server, from the list that its image uses.
COPY --from=database /etc/apt/sources.list.d/pgdg.list /etc/apt/sources.list.d/
COPY --from=database /usr/local/share/keyrings/ /usr/local/share/keyrings/
ARG POSTGRES_VERSION
RUN apt-get update \
    && apt-get install --yes --no-install-recommends "postgresql-client-${POSTGRES_VERSION%%[.-]*}" \
    && rm -rf /var/lib/apt/lists/* \
    && pg_dump --version && pg_restore --version
RUN groupadd --gid 10001 portal \
    && useradd --uid 10001 --gid portal --no-create-home --home-dir /nonexistent \
       --shell /usr/sbin/nologin portal \
    && install --directory --owner portal --group portal --mode 0700 /state
WORKDIR /portal
COPY --from=packages /portal/.venv .venv
COPY --from=viewer /portal/var/viewer var/viewer
COPY . .
# Static files are the same in every container, so they are part of the image. Collecting them
# needs settings but no service, and what it is given here opens nothing.
RUN DEPLOYED=0 STATE_DIR=/tmp/build STATIC_ROOT=/portal/collected \
    python manage.py collectstatic --noinput --verbosity 0 && rm -rf /tmp/build
ENV STATIC_ROOT=/portal/collected
USER 10001:10001
VOLUME /state
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=4 \
    CMD ["python", "-I", "config/probe.py"]
CMD ["gunicorn", "-c", "config/gunicorn.py", "config.wsgi"]
