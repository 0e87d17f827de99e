#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
#
# The guest's first process. Its root is the machine's own file system by virtiofs, read only, under a tmpfs that takes what
# is written. Over the repository lie its sources as they were at the start: virtiofs caches, so an edit made meanwhile would
# be half seen.
/bin/busybox mkdir -p /proc /sys /dev /machine /written /root
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*; do [ ! -e "$module" ] || insmod "$module"; done

. /settings
mount -t virtiofs -o ro machine /machine
mount -t tmpfs tmpfs /written
mkdir /written/upper /written/work
mount -t overlay -o lowerdir=/machine,upperdir=/written/upper,workdir=/written/work overlay /root
mkdir /whole
mount --bind /root /whole
mount -t tmpfs tmpfs "/root$REPOSITORY"
tar -x -f /sources.tar -C "/root$REPOSITORY"
cd "/whole$REPOSITORY"
for each in node_modules */*/node_modules; do
  [ -d "$each" ] || continue
  mkdir -p "/root$REPOSITORY/$each"
  mount --bind "$each" "/root$REPOSITORY/$each"
done
cd /
mkdir -p /root/boot /root/lib/modules
mount --bind "/root$KERNEL/boot" /root/boot
mount --bind "/root$KERNEL/lib/modules" /root/lib/modules
mount -t tmpfs tmpfs /root/run
mkdir /root/run/skep
cp /bin/busybox /settings /command /guest /root/run/skep/
for each in proc sys dev; do mount --move /$each /root/$each; done
exec switch_root /root /bin/bash /run/skep/guest
