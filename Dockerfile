# tfimpute-tracks on CPUs: docs/install.md says how to build and run it.
FROM python:3.12-slim AS build
# Where pip finds the CPU build of PyTorch, see docs/install.md. Without, it takes the one with CUDA.
ARG PIP_EXTRA_INDEX_URL
COPY . /src
RUN python3 -m venv /opt/tfimpute-tracks \
    && /opt/tfimpute-tracks/bin/pip install --no-cache-dir -c /src/constraints.txt "/src[browse,parquet,torch]"

FROM python:3.12-slim
COPY --from=build /opt/tfimpute-tracks /opt/tfimpute-tracks
# Any user may write to both: results to /data; compiled kernels, unpacked genomes and the tile
# cache to /cache. Only root may write to the package.
RUN install -d -m 1777 /cache /data
ENV PATH=/opt/tfimpute-tracks/bin:$PATH XDG_CACHE_HOME=/cache
VOLUME /cache
WORKDIR /data
USER 10001
ENTRYPOINT ["tfimpute-tracks"]
CMD ["--help"]
