# A small image that runs `sidecar` as a user without rights, on a root file system of its own:
# Python, what it loads and the models; no shell, no package manager, no compiler.
#
#   docker build -t sidecar .
#   docker run --network host -v $PWD/sidecar.toml:/etc/sidecar/sidecar.toml:ro sidecar
#   docker run --network host sidecar demo --no-browser --mannequins 0
#
# docs/container.md has the rest. WebRTC needs the host's network (or a TURN server): aiortc has no
# port range to publish.

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils ca-certificates
# The installer and what it builds with stay out of the environment that it fills. Every file that
# either gets has the SHA-256 that these lists name.
RUN python3 -m venv /opt/installer && python3 -m venv --without-pip /opt/sidecar
COPY deploy/container/*requirements.txt deploy/container/
RUN /opt/installer/bin/pip install --no-cache-dir --disable-pip-version-check --quiet \
      --only-binary :all: --require-hashes -r deploy/container/build-requirements.txt \
    && /opt/installer/bin/pip --python /opt/sidecar/bin/python install --no-compile \
      --no-cache-dir --disable-pip-version-check --quiet \
      --only-binary :all: --require-hashes -r deploy/container/requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY gifs gifs
COPY reactions reactions
COPY sidecar sidecar
RUN /opt/installer/bin/python -m hatchling build -t wheel -d /wheel \
    && /opt/installer/bin/pip --python /opt/sidecar/bin/python install --no-compile --no-deps \
      --no-index --disable-pip-version-check --quiet /wheel/*.whl
# Extras of pyproject.toml, such as mqtt,otel: of the versions that constraints.txt has, where it
# has them, and without SHA-256.
ARG EXTRAS=
COPY constraints.txt ./
RUN test -z "$EXTRAS" || /opt/installer/bin/pip --python /opt/sidecar/bin/python install \
      --no-compile --no-cache-dir --disable-pip-version-check --quiet --only-binary :all: \
      --constraint constraints.txt "reaction-sidecar[$EXTRAS] @ file://$(echo /wheel/*.whl)"

# Every model that a label can need. `--build-context models=FOLDER` takes a folder that has them.
FROM build AS models
ARG MODELS=fetched
RUN mkdir /models; test "$MODELS" != fetched || PATH=/opt/installer/bin:$PATH SIDECAR_MODELS=/models \
      PYTHONPATH="$(echo /opt/installer/lib/python3.*/site-packages)" \
      /opt/sidecar/bin/sidecar models fetch face hands body objects face_detail blendshapes

FROM build AS assembled
COPY --from=models /models /models
COPY deploy/__init__.py deploy/__init__.py
COPY deploy/container deploy/container
RUN PYTHONHASHSEED=0 /opt/sidecar/bin/python -m deploy.container.assemble /image/root \
      --prune deploy/container/prune \
    && /opt/sidecar/bin/python -m deploy.container.models /models /image/root/opt/models \
    && cp deploy/container/health.py /image/root/opt/sidecar/ \
    && install -d -m 0700 /image/data/sidecar
ARG SOURCE_DATE_EPOCH=0
RUN /opt/installer/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
      -o /environment.json /opt/sidecar/bin/python \
    && /opt/installer/bin/python -m deploy.container.sbom /environment.json /image/root \
      --models /image/root/opt/models --epoch "$SOURCE_DATE_EPOCH"
# The same time for every file, so that two builds are alike.
RUN find /image -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +

FROM scratch
COPY --from=assembled /image/root/ /
COPY --from=assembled --chown=10001:10001 /image/data/ /var/lib/
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG SOURCE=unknown
LABEL org.opencontainers.image.title="Reaction Sidecar" \
      org.opencontainers.image.description="A hidden WebRTC peer that recognises poses in a meeting and plays the matching GIF" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.source="${SOURCE}"
ENV PATH=/opt/sidecar/bin \
    HOME=/var/lib/sidecar \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt \
    SIDECAR_MODELS=/opt/models \
    SIDECAR_SERVER__HOST=0.0.0.0
USER 10001:10001
WORKDIR /etc/sidecar
VOLUME /var/lib/sidecar
EXPOSE 8080
HEALTHCHECK --start-period=60s --interval=10s --timeout=5s \
    CMD ["/opt/sidecar/bin/python", "-I", "-S", "/opt/sidecar/health.py"]
ENTRYPOINT ["/opt/sidecar/bin/sidecar"]
CMD ["serve"]
