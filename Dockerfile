# syntax=docker/dockerfile:1
# The image has Node, its libraries and the release; no shell. Tests build and run the last stage by Podman (test/cli/container.test.ts);
# the first one, whose base comes from a registry, runs in no test: its script does (test/cli/image.test.ts).
FROM node:22-bookworm-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends binutils ca-certificates python3 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build && node tools/image/build-root.mjs /image && mkdir /volumes && mv /image/data /image/keys /volumes

FROM scratch
COPY --from=build /image /
# Volumes take over owner and mode of these folders. Not every builder keeps owners when it copies.
COPY --from=build --chown=65532:65532 /volumes /
USER 65532:65532
ENV HOME=/data NODE_ENV=production
WORKDIR /data
VOLUME ["/data", "/keys"]
EXPOSE 4566 4567
HEALTHCHECK --interval=5s --timeout=10s --start-period=10s CMD ["/usr/bin/node", "/app/dist/merlon.js", "status"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/node", "/app/dist/merlon.js"]
CMD ["start", "--data", "/data", "--host", "0.0.0.0"]
