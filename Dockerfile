# A small image that runs `sidecar` as a user without rights: no TensorFlow, no compiler, no tests.
#
#   docker build -t sidecar .
#   docker run --network host sidecar                        # the demo's room on port 8080
#   docker build --build-arg MODELS=mounted -t sidecar .       # without the models, and then
#   docker run --network host -v $PWD/models:/var/lib/sidecar/models sidecar
#
# WebRTC needs the host's network (or a TURN server): aiortc has no port range to publish.

ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils
# The installer stays out of the environment that it fills.
RUN python3 -m venv /opt/installer && python3 -m venv --without-pip /opt/sidecar
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY config config
COPY gifs gifs
COPY reactions reactions
COPY sidecar sidecar
RUN /opt/installer/bin/pip --python /opt/sidecar/bin/python install \
      --no-cache-dir --no-compile --disable-pip-version-check --constraint constraints.txt .
# What never runs here: other chips' compilers and a GPU backend of LiteRT (30 MB), training,
# test suites, headers, type stubs, and the symbols of extension modules (40 MB; libraries beside
# them are left alone, because auditwheel's patching and strip don't go together). Byte code is kept
# only of modules that the sidecar imports.
RUN set -eu; cd /opt/sidecar/lib/python3.*/site-packages; \
    rm -rf ai_edge_litert/libLiteRtWebGpuAccelerator.so ai_edge_litert/tools ai_edge_litert/vendors \
           reactions/training numpy/f2py; \
    find . -type d \( -name tests -o -name include \) -prune -exec rm -rf {} +; \
    find . -type f \( -name '*.pyi' -o -name '*.pyx' -o -name '*.pxd' -o -name '*.pxi' \
           -o -name '*.h' -o -name '*.a' \) -delete; \
    find . -name '*.so' -not -path '*.libs/*' -exec strip --strip-unneeded {} +; \
    /opt/sidecar/bin/python -c 'import sidecar.cli.app, sidecar.demo, sidecar.replay, sidecar.annotate'

# The models that the shipped labels need; a mounted folder may hold more.
FROM build AS models
ARG MODELS=fetched
RUN mkdir /models; test "$MODELS" = mounted || SIDECAR_MODELS=/models \
      PYTHONPATH="$(echo /opt/installer/lib/python3.*/site-packages)" \
      /opt/sidecar/bin/sidecar models fetch

FROM ${PYTHON_IMAGE}
RUN useradd --uid 10001 --user-group --create-home sidecar \
    && install -d -o sidecar -g sidecar /var/lib/sidecar
COPY --from=build /opt/sidecar /opt/sidecar
COPY --from=models --chown=sidecar:sidecar /models /var/lib/sidecar/models
ENV PATH=/opt/sidecar/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SIDECAR_MODELS=/var/lib/sidecar/models \
    SIDECAR_SERVER__HOST=0.0.0.0
USER sidecar
WORKDIR /var/lib/sidecar
EXPOSE 8080
HEALTHCHECK --start-period=60s --interval=10s --timeout=3s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen('http://127.0.0.1:%s/livez' % os.environ.get('SIDECAR_SERVER__PORT', 8080), timeout=2)"]
ENTRYPOINT ["sidecar"]
CMD ["demo", "--no-browser"]
