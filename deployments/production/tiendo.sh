#!/bin/sh
# /usr/local/bin/tiendo: the command as the services' own user, with the services' own settings.
# TIENDO_ENV_FILE may name another file, such as the one of the role that owns the tables.
set -eu
file=${TIENDO_ENV_FILE:-/etc/tiendo/tiendo.env}
cd /var/lib/tiendo
if [ "$(id -un)" = tiendo ]; then
    exec env TIENDO_ENV_FILE="$file" /opt/tiendo/.venv/bin/tiendo "$@"
fi
exec runuser -u tiendo -- env TIENDO_ENV_FILE="$file" /opt/tiendo/.venv/bin/tiendo "$@"
