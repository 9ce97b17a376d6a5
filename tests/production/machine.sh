#!/bin/bash
# A throwaway Debian machine with a real systemd, made of this one: its files are seen through an
# overlay in memory, its processes, network, name and cgroups are its own. Nothing of this machine
# changes, and nothing is left when the throwaway is put down. Needs root, Linux 5.2 and systemd.
#
#   machine.sh up PLACE                    boot; PLACE keeps what `run` and `down` need
#   machine.sh run PLACE COMMAND…          as root in the machine; only its own loopback is there
#   machine.sh fetch PLACE COMMAND…        the same, with this machine's network, to install packages
#   machine.sh down PLACE
set -euo pipefail

# Loads nothing into the kernel that both share, mounts nothing of it, and waits for no terminal.
MASKED="systemd-modules-load.service kmod-static-nodes.service systemd-sysctl.service
  systemd-udevd.service systemd-udev-trigger.service systemd-remount-fs.service
  systemd-timesyncd.service sys-kernel-debug.mount sys-kernel-tracing.mount
  sys-kernel-config.mount sys-fs-fuse-connections.mount dev-hugepages.mount dev-mqueue.mount
  proc-sys-fs-binfmt_misc.automount getty.target avahi-daemon.service avahi-daemon.socket caddy.service
  e2scrub_reap.service fstrim.timer e2scrub_all.timer apt-daily.timer apt-daily-upgrade.timer"
DEVICES="null zero full random urandom tty"

cgroups() { # where the one hierarchy of cgroup2 is mounted
    findmnt --noheadings --first-only --types cgroup2 --output TARGET
}

furnish() { # what a machine has besides files; the working folder is its root
    mount -t proc proc proc
    mount --bind proc/sys proc/sys
    mount -o remount,bind,ro proc/sys
    mount -t sysfs -o ro sysfs sys
    mount -t cgroup2 cgroup2 sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs dev
    for device in $DEVICES; do
        touch "dev/$device"
        mount --bind "/dev/$device" "dev/$device"
    done
    mkdir dev/pts dev/shm
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
    ln -s pts/ptmx dev/ptmx
    ln -s /proc/self/fd dev/fd
    ln -s fd/0 dev/stdin
    ln -s fd/1 dev/stdout
    ln -s fd/2 dev/stderr
    mount -t tmpfs -o mode=1777 tmpfs dev/shm
    mount -t tmpfs -o mode=755 tmpfs run
    mount -t tmpfs -o mode=1777 tmpfs tmp
}

boot() { # in namespaces of its own
    local place=$1 seen
    mount -t tmpfs -o size=75% tmpfs "$place/disk"
    cd "$place/disk"
    mkdir upper work root
    mount -t overlay -o "lowerdir=/,upperdir=$PWD/upper,workdir=$PWD/work" overlay root
    cd root
    furnish
    # What a new machine has not: this checkout, and folders of people.
    for seen in "$(realpath "$CHECKOUT")" /home; do
        [ ! -d "${seen#/}" ] || mount -t tmpfs -o mode=755 tmpfs "${seen#/}"
    done
    for unit in $MASKED; do ln -sfn /dev/null "etc/systemd/system/$unit"; done
    rm -f usr/sbin/policy-rc.d # what keeps packages from starting services in some images
    : > etc/machine-id
    hostname tiendo-rehearsal
    echo tiendo-rehearsal > etc/hostname
    ip link set lo up
    mkdir .old
    pivot_root . .old
    umount -l /.old
    exec env -i container=rehearsal PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
        /lib/systemd/systemd --log-target=console --log-level=warning
}

init() { # the process that is number 1 in the machine
    cat "$1/pid"
}

inside() { # namespaces to enter, then the place, then the command; a clean environment
    local spaces=$1 place=$2
    shift 2
    # shellcheck disable=SC2086 # several words
    exec nsenter --target "$(init "$place")" $spaces --root --wdns=/root -- \
        env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

reaching() { # how this machine reaches the places that packages come from
    env | grep -E '^(PIP_|UV_|SSL_CERT_|[A-Za-z]+_proxy=)' || true
}

up() {
    local place=$1 group
    mkdir -p "$place/disk"
    group=$(cgroups)/tiendo-rehearsal-$$
    mkdir "$group"
    echo "$group" > "$place/cgroup"
    (
        echo "$BASHPID" > "$group/cgroup.procs"
        exec setsid unshare --fork --pid --mount --uts --ipc --net --cgroup --propagation private \
            "$0" boot "$place"
    ) > "$place/console.log" 2>&1 < /dev/null &
    local outer=$!
    for _ in $(seq 60); do
        sleep 0.5
        # The first process of the new machine, as this one counts.
        pgrep --parent "$outer" > "$place/pid" || break
        case $("$0" run "$place" systemctl is-system-running --wait 2> /dev/null) in
            running) return 0 ;;
            degraded) "$0" run "$place" systemctl --failed --no-pager >&2 && return 0 ;;
        esac
    done
    cat "$place/console.log" >&2
    return 1
}

down() {
    local place=$1 group
    [ ! -s "$place/pid" ] || kill -KILL "$(init "$place")" || true
    group=$(cat "$place/cgroup")
    for _ in $(seq 50); do
        find "$group" -depth -type d -exec rmdir {} + 2>/dev/null && break
        sleep 0.2
    done
    rmdir "$place/disk"
    rm -f "$place/pid" "$place/cgroup" "$place/console.log"
}

CHECKOUT=$(dirname "$(dirname "$(dirname "$(realpath "$0")")")")
ALL="--mount --uts --ipc --net --pid --cgroup"
command=$1
place=$(realpath -m "$2")
shift 2
case $command in
    up) up "$place" ;;
    boot) boot "$place" ;;
    run) inside "$ALL" "$place" "$@" ;;
    fetch)
        mapfile -t ways < <(reaching)
        inside "${ALL/--net/}" "$place" "${ways[@]}" "$@"
        ;;
    down) down "$place" ;;
    *) exit 2 ;;
esac
