#!/bin/sh
# Boots a real systemd as process 1 of namespaces of its own, over a root that forgets what is written:
#   unshare --mount --pid --fork --cgroup --uts --ipc --net systemd_boot.sh SCRATCH
# Of this machine's units it starts the journal alone; SCRATCH is seen as it is.
set -eu
scratch=$1
mount --make-rprivate /
mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root /mnt/units /mnt/etc
mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
root=/mnt/root
mount -t proc proc $root/proc
mount --rbind /sys $root/sys
mount --rbind /dev $root/dev
for each in run tmp var/lib/systemd; do mount -t tmpfs tmpfs $root/$each; done
mkdir -p "$root$scratch"
mount --bind "$scratch" "$root$scratch"
units=$root/usr/lib/systemd/system
cp $units/systemd-journald.service $units/systemd-journald.socket $units/systemd-journald-dev-log.socket \
    /mnt/units/
for each in sysinit basic sockets multi-user shutdown umount final network-online network time-sync timers \
    paths slices local-fs rescue emergency exit reboot poweroff; do
    printf '[Unit]\nDescription=%s\n' $each >/mnt/units/$each.target
done
printf '[Unit]\nRequires=systemd-journald.socket systemd-journald.service\n' >/mnt/units/test.target
mount --bind /mnt/units $units
mount --bind /mnt/etc $root/etc/systemd/system
printf '0123456789abcdef0123456789abcdef' >$root/etc/machine-id
chmod 755 $root/root  # where an interpreter of pyenv may lie
mkdir $root/former
cd $root
pivot_root . former
umount -l /former
mount --make-rshared /  # as systemd leaves it, and as its credentials need it
exec env container=other /lib/systemd/systemd --system --unit=test.target --show-status=no --log-target=null
