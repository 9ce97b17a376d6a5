#!/bin/sh
# /usr/local/sbin/tiendo-owner: the command as the role that owns the tables, for upgrades and
# restoring. Its address stands in a file that root alone can read.
set -eu
set -a
. /etc/tiendo/owner.env
set +a
exec /usr/local/bin/tiendo "$@"
