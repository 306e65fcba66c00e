# The daemon and nothing else. Build: docker build -t canary-analyzer:0.1.0 .  (or podman, buildah)
# BASE: any image with Python 3.11 or newer as `python3`, with venv; both stages use it.
ARG BASE=docker.io/library/python:3.11-slim-bookworm

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python3 -m venv /opt/canary-analyzer
COPY requirements-run.lock /src/
RUN /opt/canary-analyzer/bin/pip install --require-hashes --no-deps --only-binary :all: -r /src/requirements-run.lock
COPY pyproject.toml README.md LICENSE /src/
COPY analyzer /src/analyzer
# The demo and its sandbox, which downloads packages and starts processes, are for a developer's machine.
RUN rm -r /src/analyzer/sandbox /src/analyzer/cli/demo
# hatchling, which builds our own wheel, is fetched for this stage only
RUN python3 -m venv /tmp/build \
 && /tmp/build/bin/pip wheel --no-deps --wheel-dir /tmp/wheels /src \
 && /opt/canary-analyzer/bin/pip install --no-deps --no-index --find-links /tmp/wheels canary-analyzer \
 && /opt/canary-analyzer/bin/pip uninstall --yes pip setuptools \
 && /opt/canary-analyzer/bin/python -m compileall -q /opt/canary-analyzer

FROM ${BASE}
COPY --from=build /opt/canary-analyzer /opt/canary-analyzer
ENV PATH=/opt/canary-analyzer/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
# By default each thread has an arena of its own for memory, from which little is ever given back, and what is large is
# put into an arena too once something as large was freed.
ENV MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=131072 MALLOC_TRIM_THRESHOLD_=131072
# A number, so that Kubernetes can see that it is not root. Nothing is written: the root file system may be read-only.
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["canary-analyzer"]
CMD ["run", "--config", "/etc/canary-analyzer/config", "--listen", "0.0.0.0:8080"]
