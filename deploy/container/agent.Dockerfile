# The sidecar. Build from the top of a checkout: docker build -f deploy/container/agent.Dockerfile -t pivotscope-agent:0.1.0 .

FROM rust:1-slim-bookworm AS rbspy
RUN cargo install rbspy --locked --version 0.55.0 --root /opt/rbspy

FROM python:3.12-slim-bookworm AS packages
WORKDIR /src
COPY requirements/ requirements/
RUN python -m venv /opt/pivotscope \
 && /opt/pivotscope/bin/pip install --no-cache-dir --require-hashes -r requirements/agent.txt -r requirements/build.txt
COPY proto/ proto/
COPY agent/ agent/
RUN /opt/pivotscope/bin/pip install --no-cache-dir --no-deps --no-build-isolation ./proto ./agent \
 && /opt/pivotscope/bin/pip uninstall --yes -r requirements/build.in

FROM python:3.12-slim-bookworm
COPY --from=rbspy /opt/rbspy/bin/rbspy /usr/local/bin/rbspy
COPY --from=packages /opt/pivotscope /opt/pivotscope
ENV PATH=/opt/pivotscope/bin:$PATH PIVOTSCOPE_SPOOL=/var/lib/pivotscope-agent
VOLUME /var/lib/pivotscope-agent
# Root, for reading other users' processes; needs CAP_SYS_PTRACE and no other capability.
ENTRYPOINT ["pivotscope-agent"]
CMD ["run"]
