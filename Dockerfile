# Two images: `docker build --target producer .` is light and holds no torch; `--target worker` adds the models' libraries and the trainer.
# The worker's torch is the wheel that pip takes by default, which brings CUDA; the host gives the driver. `--build-arg PIP_EXTRA_INDEX_URL=...`
# with an index of torch's CPU builds makes a smaller image without CUDA: pip takes 2.13.0+cpu for newer than 2.13.0.
ARG PYTHON=3.11

FROM python:${PYTHON}-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/paragone
ENV PATH=/opt/paragone/bin:$PATH
WORKDIR /src
COPY constraints ./constraints
COPY pyproject.toml README.md LICENSE ./
COPY paragone ./paragone
COPY db ./db
COPY workers ./workers
COPY producer ./producer
COPY trainer ./trainer
RUN pip install --constraint constraints/pinned.txt '.[s3]'

FROM build AS build-worker
ARG PIP_EXTRA_INDEX_URL
RUN pip install --constraint constraints/pinned.txt '.[s3,gpu,train]'

# No build tools, no sources: only Python and the finished environment.
FROM python:${PYTHON}-slim AS base
RUN useradd --uid 10001 --create-home paragone \
    && mkdir --parents /data/store /models \
    && chown --recursive paragone:paragone /data /models
ENV PATH=/opt/paragone/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PARAGONE_DATA_DIR=/data \
    HF_HOME=/models \
    MPLCONFIGDIR=/tmp/matplotlib
WORKDIR /data
# By number: Kubernetes asks for it to know that it is not root.
USER 10001
ENTRYPOINT ["paragone"]
CMD ["--help"]

FROM base AS worker
COPY --from=build-worker /opt/paragone /opt/paragone
ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility
# This container's own worker processes answer, not those of another host.
HEALTHCHECK --interval=60s --timeout=30s --start-period=60s \
    CMD celery -A paragone.celery inspect ping --timeout 5 | grep --quiet "@$(hostname)"
CMD ["work"]

# The last target is what a plain `docker build .` makes.
FROM base AS producer
COPY --from=build /opt/paragone /opt/paragone
