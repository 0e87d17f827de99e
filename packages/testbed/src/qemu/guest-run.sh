# SPDX-License-Identifier: Apache-2.0
#
# The guest's first process once its root is there: a machine as systemd would leave it, then /run/skep/command on the second
# serial line; its exit status goes to the third.
. /run/skep/settings
export HOME=/root TMPDIR=/run/tmp TERM=${TERM:-dumb}
export PATH=$REPOSITORY/node_modules/.bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p -m 1777 "$TMPDIR" /dev/pts /dev/shm /run/netns
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t debugfs debugfs /sys/kernel/debug
mount -t securityfs securityfs /sys/kernel/security
hostname skep-guest
ip link set lo up
# Tests call its functions, and no other module has any.
modprobe nf_conntrack

cd "$REPOSITORY"
stty -F /dev/ttyS1 $TERMINAL
setsid --ctty --wait bash /run/skep/command </dev/ttyS1 >/dev/ttyS1 2>&1
echo $? >/dev/ttyS2
exec /run/skep/busybox poweroff -f
