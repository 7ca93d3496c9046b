# One image for every process of ours: `serve users`, `serve posts`, `serve router`, `migrate up`.
FROM python:3.13.14-slim-trixie AS dependencies
WORKDIR /build
COPY requirements-dev.lock deploy/runtime_requirements.py ./
# Wheels only, and only those the lock file names by hash: nothing is compiled or resolved here.
RUN --mount=type=cache,target=/root/.cache/pip \
    python runtime_requirements.py < requirements-dev.lock > requirements.txt && \
    python -m venv --without-pip /opt/venv && \
    python -m pip --python /opt/venv/bin/python install --disable-pip-version-check --quiet \
      --require-hashes --no-deps --only-binary=:all: -r requirements.txt

FROM python:3.13.14-slim-trixie
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin socialnet
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=dependencies /opt/venv /opt/venv
COPY deploy/check_health.py deploy/
COPY supergraph.yaml ./
COPY schema schema
COPY migrations migrations
COPY shared shared
COPY subgraphs subgraphs
COPY router router
COPY socialnet socialnet
RUN python -m compileall -q router shared socialnet subgraphs
USER 10001
ENTRYPOINT ["python", "-m", "socialnet"]
CMD ["--help"]
