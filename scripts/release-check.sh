#!/usr/bin/env bash
# Checks .goreleaser.yaml and builds a snapshot of the release in dist/: everything but the container image, for which there
# may be no engine. What the image is made from is left in dist/image. goreleaser and cyclonedx-gomod must be on the PATH.
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

# goreleaser wants a remote to name the release page after; a check does not need a real one.
git remote get-url origin >/dev/null 2>&1 ||
  export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=remote.origin.url GIT_CONFIG_VALUE_0=https://github.com/example/bridge

goreleaser check
goreleaser release --snapshot --clean --skip=docker

fail() { echo "release-check: $*" >&2; exit 1; }
version=$(git describe --tags --always --dirty)
version=${version#v}
(cd dist && sha256sum --check --quiet checksums.txt) || fail "checksums.txt does not match the files"
for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64; do
  name=${platform/\//_}
  archive=$(echo dist/bridge_*_"$name".tar.gz)
  files=$(tar -tzf "$archive")
  for file in bridge LICENSE README.md CHANGELOG.md; do
    grep -qx "$file" <<<"$files" || fail "$archive has no $file"
  done
  grep -q 'pkg:golang/modernc.org/sqlite@' dist/bridge_*_"$name".cdx.json || fail "the SBOM of $platform does not name the SQLite driver"
  binary=$(echo dist/bridge_"$name"_*/bridge)
  settings=$("$go" version -m "$binary")
  grep -q 'CGO_ENABLED=0' <<<"$settings" || fail "$binary is not static"
  case $platform in linux/*) install -D "$binary" "dist/image/$platform/bridge" ;; esac
done
settings() { sed -n '/^ENV/,$p' "$1"; }
diff <(settings deploy/Dockerfile) <(settings deploy/Dockerfile.release) || fail "the two images are set up differently"
got=$("dist/image/linux/$("$go" env GOHOSTARCH)/bridge" version)
[[ $got == "bridge $version "* ]] || fail "the program says '$got', git describe '$version'"
echo "release-check: $got; four platforms, checksums and SBOMs are good; the image was not built"
