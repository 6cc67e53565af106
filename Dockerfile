# syntax=docker/dockerfile:1
# Two images: `docker build --target producer .` is light and holds no torch; `--target worker` adds the models' libraries and the trainer.
#
# Both stand on Python's slim image, the worker too, not on nvidia/cuda: torch's wheels bring the CUDA libraries that they were built with (cuBLAS,
# cuDNN, NCCL), so a CUDA base would hold them twice, some 3 GB, in versions that torch does not use. The host gives the driver, through the
# NVIDIA Container Toolkit. `--build-arg PIP_EXTRA_INDEX_URL=...` with an index of torch's CPU builds makes a smaller image without CUDA:
# pip takes 2.13.0+cpu for newer than 2.13.0.
#
# To pin the base: --build-arg BASE=python:3.11-slim@sha256:...
ARG BASE=python:3.11-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
# Without pip: it is a tool for building, and stays in this stage.
RUN python -m venv --without-pip /opt/paragone
WORKDIR /src
COPY constraints ./constraints
COPY pyproject.toml README.md LICENSE ./
COPY paragone ./paragone
COPY db ./db
COPY workers ./workers
COPY producer ./producer
COPY trainer ./trainer
RUN pip --python /opt/paragone/bin/python install --constraint constraints/pinned.txt '.[s3,data,tracing]'

FROM build AS build-worker
ARG PIP_EXTRA_INDEX_URL
RUN pip --python /opt/paragone/bin/python install --constraint constraints/pinned.txt '.[s3,data,tracing,gpu,train]'

# No build tools, no sources: Python, tini and the finished environment.
FROM ${BASE} AS base
RUN apt-get update \
    && apt-get install --yes --no-install-recommends tini \
    && rm -rf /var/lib/apt/lists/* \
    && pip uninstall --yes --root-user-action ignore wheel setuptools pip \
    && useradd --uid 10001 --create-home paragone \
    && mkdir --parents /data/store /models \
    && chown --recursive paragone:paragone /data /models
ENV PATH=/opt/paragone/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PARAGONE_DATA_DIR=/data \
    PARAGONE_WAIT=60s \
    HF_HOME=/models \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
# By number: Kubernetes asks for it to know that it is not root.
USER 10001
# tini is PID 1: it passes signals on and buries orphans, also where nobody says `docker run --init`.
ENTRYPOINT ["tini", "--", "paragone"]
CMD ["--help"]

FROM base AS worker
COPY --from=build-worker /opt/paragone /opt/paragone
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# Models that were downloaded outlive the container.
VOLUME /models
# Whether this container's own worker processes live and get on, not those of another host.
HEALTHCHECK --interval=60s --timeout=30s --start-period=120s --retries=3 CMD ["paragone", "health", "--quick", "--worker"]
CMD ["work"]

# The last target is what a plain `docker build .` makes.
FROM base AS producer
COPY --from=build /opt/paragone /opt/paragone
