#!/usr/bin/env bash
# What the tests need from the system and no Python package brings: a browser for the pages, with
# a font that has Vietnamese letters; small disks for those that fill them; systemd's check of the
# units. Installed here when root asks, otherwise said in one sentence.
set -euo pipefail

# command: package
needed=(chromium:chromium mount:mount setpriv:util-linux systemd-analyze:systemd)
fonts=fonts-dejavu-core # beside the browser

lacking() {
    local one
    for one in "${needed[@]}"; do
        command -v "${one%%:*}" >/dev/null || echo "${one##*:}"
    done
}

mapfile -t packages < <(lacking)
[ "${#packages[@]}" -eq 0 ] && exit 0
case " ${packages[*]} " in *" chromium "*) packages+=("$fonts") ;; esac

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "Some tests need Debian's ${packages[*]}: run 'sudo apt-get install ${packages[*]}' and try again." >&2
    # Without a browser much is left untried; what else is missing is skipped, and fails in CI.
    command -v chromium >/dev/null && [ -z "${CI:-}" ] && exit 0
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
echo "Installing ${packages[*]} for the tests."
apt-get update -qq
apt-get install -qq --yes --no-install-recommends "${packages[@]}" >/dev/null
mapfile -t packages < <(lacking)
if [ "${#packages[@]}" -ne 0 ]; then
    echo "${packages[*]} was installed but its command is not on the PATH; look at what apt-get said above." >&2
    exit 1
fi
