# One stage for each process. `docker compose build` builds those that docker-compose.yml names.
#
# Base images are pinned by version; Debian's packages are those of the day, because Debian keeps no old Chromium.

# The programs: static, so that they run on no base at all.
FROM golang:1.26.6-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags=-s -o /out/ \
    ./worker ./portal ./starter ./sandbox ./deploy/keys ./deploy/healthcheck
# Folders on which volumes are mounted: a new volume takes its owner from them.
RUN install -d -o 10001 -g 10001 /folders/keys/identity /folders/keys/recipient /folders/keys/keys \
    /folders/keys/temporal-db-password /folders/keys/db-password \
    /folders/worker/var/lib/meterkey /folders/sandbox/practice

# Playwright's driver, as tools/driver locks it.
FROM node:22.22.2-bookworm-slim AS driver
WORKDIR /driver
COPY tools/driver/package.json tools/driver/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund && mv node_modules/playwright-core package

# The worker, with the driver and without a browser: that is a container of its own.
FROM node:22.22.2-bookworm-slim AS worker
COPY --from=driver /driver/package /driver/package
COPY --from=build /folders/worker/ /
COPY --from=build /out/worker /out/healthcheck /usr/local/bin/
ENV PLAYWRIGHT_DRIVER_PATH=/driver PLAYWRIGHT_NODEJS_PATH=/usr/local/bin/node
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/worker"]

# Chromium. Its flags are browser.Flags's; what follows the image's name is added to them.
FROM debian:bookworm-20260824-slim AS browser
RUN apt-get update \
    && apt-get install --yes --no-install-recommends chromium-headless-shell fonts-liberation fonts-noto-color-emoji \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/healthcheck /usr/local/bin/
ENV HOME=/tmp
USER 10001:10001
ENTRYPOINT ["/usr/lib/chromium/chromium-headless-shell", \
    "--headless", \
    "--remote-debugging-port=9222", \
    "--remote-debugging-address=127.0.0.1", \
    "--user-data-dir=/tmp/profile", \
    "--window-size=1280,800", \
    "--lang=en-US", \
    "--accept-lang=en-US,en", \
    "--no-first-run", \
    "--no-default-browser-check", \
    "--disable-background-networking", \
    "--disable-component-update", \
    "--disable-sync", \
    "--disable-quic", \
    "--disable-breakpad", \
    "--disable-dev-shm-usage", \
    "--disable-backgrounding-occluded-windows", \
    "--disable-renderer-backgrounding", \
    "--mute-audio", \
    "--password-store=basic", \
    "--use-mock-keychain"]

# The rest needs no base: a program, and the authorities by which it knows whom it speaks to.
FROM scratch AS portal
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/portal /usr/local/bin/
ENV PATH=/usr/local/bin
USER 10001:10001
EXPOSE 8400
ENTRYPOINT ["/usr/local/bin/portal"]

FROM scratch AS starter
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/starter /usr/local/bin/
ENV PATH=/usr/local/bin
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/starter"]

FROM scratch AS sandbox
COPY --from=build /folders/sandbox/ /
COPY --from=build /out/sandbox /out/healthcheck /usr/local/bin/
ENV PATH=/usr/local/bin
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/sandbox"]

FROM scratch AS keys
COPY --from=build /folders/keys/ /
COPY --from=build /out/keys /usr/local/bin/
USER 10001:10001
ENTRYPOINT ["/usr/local/bin/keys"]
