# The collector, with the embedded engine. Build from the top of a checkout:
# docker build -f deploy/container/collector.Dockerfile -t pivotscope:0.1.0 .

FROM python:3.12-slim-bookworm AS packages
WORKDIR /src
COPY requirements/ requirements/
RUN python -m venv /opt/pivotscope \
 && /opt/pivotscope/bin/pip install --no-cache-dir --require-hashes -r requirements/runtime.txt -r requirements/build.txt
COPY proto/ proto/
COPY collector/ collector/
RUN /opt/pivotscope/bin/pip install --no-cache-dir --no-deps --no-build-isolation ./proto ./collector \
 && /opt/pivotscope/bin/pip uninstall --yes -r requirements/build.in

FROM python:3.12-slim-bookworm
RUN useradd --system --uid 10640 --create-home --home-dir /var/lib/pivotscope pivotscope
COPY --from=packages /opt/pivotscope /opt/pivotscope
ENV PATH=/opt/pivotscope/bin:$PATH PIVOTSCOPE_LISTEN=0.0.0.0:4640 PIVOTSCOPE_DATA_DIR=/var/lib/pivotscope/data
USER pivotscope
VOLUME /var/lib/pivotscope
EXPOSE 4640
# Mount a token, a certificate and its key, and name them: PIVOTSCOPE_TOKEN_FILE, PIVOTSCOPE_TLS_CERTIFICATE and
# PIVOTSCOPE_TLS_KEY. It does not listen to other machines without them.
ENTRYPOINT ["pivotscope"]
CMD ["collector", "serve"]
