#!/usr/bin/env bash
# What the tests need from the system and no Python package brings: a browser for the pages, with
# a font that has Vietnamese letters. Installed here when root asks, otherwise said in one sentence.
set -euo pipefail

packages=(chromium fonts-dejavu-core)

if command -v chromium >/dev/null; then
    exit 0
fi
if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "The browser tests need Debian's chromium: run 'sudo apt-get install ${packages[*]}' and try again." >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${packages[*]} for the browser tests."
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${packages[@]}" >/dev/null
command -v chromium >/dev/null || {
    echo "chromium was installed but is not on the PATH; look at what apt-get said above." >&2
    exit 1
}
