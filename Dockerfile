# Evenmatch in a container: docs/containers.md says how to build, run and upgrade it.
#
#   docker build -t evenmatch .                     serves on the CPU, without torch
#   docker build -t evenmatch:torch --target torch --build-arg TORCH_INDEX= .    with torch, for GPUs

# Debian or Ubuntu with Python 3.11 or newer, its venv module and a certificate store.
ARG BASE_IMAGE=python:3.11.14-slim-bookworm


FROM ${BASE_IMAGE} AS build
WORKDIR /build
COPY docker/pip.lock ./
RUN python3 -m venv /build/tools && python3 -m venv --without-pip /opt/evenmatch \
    && tools/bin/pip install --no-cache-dir --require-hashes --requirement pip.lock
# The lists of dependencies alone, so that a change of the code does not install them anew.
COPY pyproject.toml constraints.txt constraints.lock ./
RUN python3 -c 'import tomllib; \
project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
extras = project["optional-dependencies"]; \
open("serving.txt", "w").write("\n".join(project["dependencies"] + extras["postgres"] + extras["redis"] + extras["tracing"])); \
open("torch.txt", "w").write("\n".join(extras["torch"]))'
# Nothing is installed that is not, byte for byte, what PyPI had when the versions were chosen.
RUN --mount=type=cache,target=/root/.cache/pip \
    tools/bin/pip --python /opt/evenmatch/bin/python install --only-binary :all: --require-hashes \
    --constraint constraints.lock --requirement serving.txt


FROM build AS code
COPY README.md LICENSE ./
COPY evenmatch evenmatch
COPY service service
COPY training training
RUN --mount=type=cache,target=/root/.cache/pip \
    tools/bin/pip wheel --no-deps --wheel-dir wheels .


FROM build AS with-torch
# The index of torch's CPU builds; empty takes PyPI's build, which is made for CUDA on Linux.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
# torch by its version alone: PyPI knows no hash of a build from another index.
RUN --mount=type=cache,target=/root/.cache/pip \
    tools/bin/pip --python /opt/evenmatch/bin/python install --constraint constraints.txt \
    ${TORCH_INDEX:+--no-deps --extra-index-url "${TORCH_INDEX}"} torch \
    && tools/bin/pip --python /opt/evenmatch/bin/python install --only-binary :all: --require-hashes \
    --constraint constraints.lock --requirement torch.txt
RUN --mount=type=bind,from=code,source=/build/wheels,target=/wheels \
    tools/bin/pip --python /opt/evenmatch/bin/python install --no-deps /wheels/*.whl
# The bundles whose converted models are baked in, so that no start needs torch or a network.
ARG BUNDLES=minilm-fair
RUN for bundle in ${BUNDLES}; do \
        /opt/evenmatch/bin/evenmatch convert --bundle "${bundle}" --output /opt/evenmatch/models || exit 1; \
    done


FROM build AS without-torch
RUN --mount=type=bind,from=code,source=/build/wheels,target=/wheels \
    tools/bin/pip --python /opt/evenmatch/bin/python install --no-deps /wheels/*.whl


FROM ${BASE_IMAGE} AS runtime
RUN groupadd --gid 10001 evenmatch \
    && useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin evenmatch \
    && install -d -o 10001 -g 0 -m 0770 /data
COPY docker/healthcheck.py /usr/local/lib/evenmatch/healthcheck.py
ENV PATH=/opt/evenmatch/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    EVENMATCH_HOST=0.0.0.0 \
    EVENMATCH_PORT=8000 \
    EVENMATCH_DATA_DIR=/data \
    EVENMATCH_MODELS_DIR=/opt/evenmatch/models
# On all addresses it does not start without keys (docs/access.md), or EVENMATCH_INSECURE=true.
USER 10001:10001
WORKDIR /data
# What must outlive the container; everything else may be mounted read-only, but for /tmp.
VOLUME ["/data"]
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python3", "-IS", "/usr/local/lib/evenmatch/healthcheck.py"]
ENTRYPOINT ["evenmatch"]
CMD ["serve"]
ARG VERSION=0.2.0
ARG REVISION=
LABEL org.opencontainers.image.title="Evenmatch" \
      org.opencontainers.image.description="Fair resume-to-job matching as a service: calibrated scores, audits and live fairness monitoring." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"


FROM runtime AS torch
COPY --from=with-torch /opt/evenmatch /opt/evenmatch


FROM runtime AS cpu-with-shell
COPY --from=without-torch /opt/evenmatch /opt/evenmatch
COPY --from=with-torch /opt/evenmatch/models /opt/evenmatch/models


FROM cpu-with-shell AS cpu
# Who gets in finds no shell, no package manager and no other program but Python.
USER 0
RUN find /bin/ /sbin/ /usr/bin/ /usr/sbin/ /usr/local/bin/ /usr/local/sbin/ \
    ! -type d ! -name 'python3*' ! -name 'ld.so*' -delete
USER 10001:10001
