#!/usr/bin/env bash
# Builds the Debian package from what is made already: packaging/build-deb.sh PROGRAM PAPERS OUT,
# where PROGRAM is the binary, PAPERS the folder that `cargo run --example papers` wrote, and OUT the
# folder for the package. Needs dpkg-deb and no root. DEB_COMPRESSION=none is for tests.
set -euo pipefail

[ $# = 3 ] || {
    printf 'usage: packaging/build-deb.sh PROGRAM PAPERS OUT\n' >&2
    exit 2
}
program="$(realpath "$1")" papers="$(realpath "$2")"
mkdir -p "$3"
out="$(realpath "$3")"
cd "$(dirname "$0")/.."
command -v dpkg-deb >/dev/null || {
    printf 'build-deb.sh: dpkg-deb is missing (Debian package dpkg)\n' >&2
    exit 2
}
version="$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)"
architecture="$(dpkg --print-architecture)"
umask 022
root="$(mktemp -d)"
trap 'rm -rf "$root"' EXIT
chmod 755 "$root"

install -Dm755 "$program" "$root/usr/bin/portcullis"
# What a debugger needs stays with the build.
if command -v strip >/dev/null; then strip --strip-unneeded "$root/usr/bin/portcullis"; fi
install -Dm644 systemd/portcullis.service -t "$root/usr/lib/systemd/system"
install -Dm644 systemd/portcullis.sysusers "$root/usr/lib/sysusers.d/portcullis.conf"
install -Dm640 packaging/debian/portcullis.yaml "$root/etc/portcullis/portcullis.yaml"
chmod 750 "$root/etc/portcullis"
documents="$root/usr/share/doc/portcullis"
for example in systemd/portcullis.socket conf/full.yaml conf/minimal.yaml conf/rules.yaml conf/deploy/*; do
    install -Dm644 "$example" -t "$documents/examples"
done
install -Dm644 docs/*.md -t "$documents"
gzip -9n <CHANGELOG.md >"$documents/changelog.gz"
install -Dm644 packaging/debian/copyright -t "$documents"
cp -R "$papers/." "$root/usr/share/"
find "$root/usr/share/man" -type f -exec gzip -9n {} +
find "$root/usr/share" -type f -exec chmod 644 {} +

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<CONTROL
Package: portcullis
Version: $version
Architecture: $architecture
Maintainer: Portcullis maintainers <maintainers@portcullis.invalid>
Section: net
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: libc6 (>= 2.34), libgcc-s1, systemd | systemd-standalone-sysusers
Description: security gateway between applications and LLM providers
 Portcullis checks who calls a provider of language models and how often, looks
 for prompt injection, secrets and personal data in requests and answers, and
 writes down what it decided. It speaks the shapes of OpenAI and Anthropic.
CONTROL
printf '/etc/portcullis/portcullis.yaml\n' >"$root/DEBIAN/conffiles"
install -m755 packaging/debian/{postinst,prerm,postrm} "$root/DEBIAN"
(cd "$root" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
chmod 644 "$root/DEBIAN/"{control,conffiles,md5sums}

package="$out/portcullis_${version}_$architecture.deb"
dpkg-deb --root-owner-group -Z"${DEB_COMPRESSION:-xz}" --build "$root" "$package" >/dev/null
printf '%s\n' "$package"
