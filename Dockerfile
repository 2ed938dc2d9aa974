FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
# docker build --build-arg VERSION=$(git describe --tags --always) .
ARG VERSION=
RUN GOEXPERIMENT=simd CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X aldeabridge/internal/version.release=$VERSION" -o /out/bridge ./cmd/bridge && mkdir /out/data

FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/bridge /bridge
COPY --from=build --chown=nonroot:nonroot /out/data /data
ENV BRIDGE_LISTEN=0.0.0.0:8080 BRIDGE_DATA_DIR=/data LOG_FORMAT=json
EXPOSE 8080
VOLUME /data
USER nonroot
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/bridge", "health"]
ENTRYPOINT ["/bridge"]
CMD ["serve"]
