import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

// Bit numbers of capabilities(7), from linux/capability.h.
const CAP_NET_ADMIN = 12n
const CAP_SYS_ADMIN = 21n
const CAP_BPF = 39n

const FEATURES = {
  root: () => process.getuid?.() === 0 || 'this test needs root: run it with sudo',
  nobody: () =>
    spawnSync('unshare', [
      '--mount',
      'sh',
      '-c',
      'mount --bind "$0" /mnt && setpriv --reuid=65534 --clear-groups test -r /mnt',
      import.meta.dirname,
    ]).status === 0 ||
    'user nobody cannot read this repository: run the tests as root, and clone with umask 022',
  bpf: () =>
    !has(CAP_BPF) && !has(CAP_SYS_ADMIN)
      ? 'eBPF needs CAP_BPF: run the tests as root, in a container with --privileged'
      : readable('/sys/kernel/btf/vmlinux') ||
        'eBPF needs /sys/kernel/btf/vmlinux: use a kernel with CONFIG_DEBUG_INFO_BTF',
  netns: () =>
    (has(CAP_SYS_ADMIN) && has(CAP_NET_ADMIN)) ||
    'network namespaces need CAP_SYS_ADMIN and CAP_NET_ADMIN: run the tests as root',
  tun: () =>
    readable('/dev/net/tun') ||
    'the delay between namespaces needs /dev/net/tun: load the tun module, run the tests as root',
  mptcp: () =>
    value('/proc/sys/net/mptcp/enabled') === '1' ||
    'this needs MPTCP: use a kernel with CONFIG_MPTCP, and set sysctl net.mptcp.enabled=1',
  // Without the switch (before Linux 6.6) it is on.
  uring: () =>
    ['0', undefined].includes(value('/proc/sys/kernel/io_uring_disabled')) ||
    'this needs io_uring: set sysctl kernel.io_uring_disabled=0',
  overlay: () =>
    spawnSync('unshare', [
      ...['--mount', 'sh', '-c'],
      'mount -t tmpfs none /mnt && cd /mnt && mkdir u w m && mount -t overlay o -o lowerdir=/,upperdir=u,workdir=w m',
    ]).status === 0 || 'a copy of the root needs overlayfs: load the overlay module, run the tests as root',
  debian: () =>
    ['mmdebstrap', 'dpkg-deb', 'dpkg-shlibdeps', 'strip', 'lintian', 'buildah'].every(found) ||
    'the package needs its tools: apt-get install mmdebstrap dpkg-dev binutils lintian buildah',
  apt: () => ['apt-get', 'dpkg-deb', 'perl'].every(found) || 'this needs Debian: apt-get, dpkg-deb and perl',
  kustomize: () =>
    spawnSync('kubectl', ['kustomize', '--help']).status === 0 ||
    'kustomize is missing: install kubectl 1.21 or newer, of Kubernetes',
  objdump: () => found('llvm-objdump') || 'llvm-objdump is missing: apt-get install llvm',
  gcc: () => found('gcc') || 'gcc is missing: apt-get install gcc libc6-dev',
  zsh: () => found('zsh') || 'zsh is missing: apt-get install zsh',
  iptables: () => found('iptables') || 'iptables is missing: apt-get install iptables',
  ss: () => found('ss') || 'ss is missing: apt-get install iproute2',
  influxd: () => found('influxd') || 'influxd is missing: apt-get install influxdb',
  influx: () => found('influx') || 'influx is missing: apt-get install influxdb-client',
  nats: () => found('nats-server') || 'nats-server is missing: apt-get install nats-server',
  victoria: () =>
    found('victoria-metrics') || 'victoria-metrics is missing: apt-get install victoria-metrics',
  prometheus: () =>
    ['prometheus', 'promtool'].every(found) || 'prometheus is missing: apt-get install prometheus',
  chromium: () => found('chromium') || 'chromium is missing: apt-get install chromium',
  tmux: () => found('tmux') || 'tmux is missing: apt-get install tmux',
  script: () => found('script') || 'script is missing: apt-get install bsdutils',
  bpftool: () => found('bpftool') || 'bpftool is missing: apt-get install bpftool',
  openssl: () => found('openssl') || 'openssl is missing: apt-get install openssl',
  hybrid: () =>
    ['cgroup', 'cgroup2'].every(type => readFileSync('/proc/self/mounts', 'utf8').includes(` ${type} `)) ||
    'the layouts of cgroups are made from a hybrid one: boot with systemd.unified_cgroup_hierarchy=0',
  containerd: () =>
    (['containerd', 'ctr', 'runc', 'busybox', 'iptables'].every(found) && readable('/usr/lib/cni/portmap')) ||
    'pods need containerd: apt-get install containerd runc containernetworking-plugins iptables busybox-static',
  pythonIpfix: () =>
    spawnSync('/usr/bin/python3', ['-c', 'import ipfix.reader']).status === 0 ||
    'this needs a reader of IPFIX: apt-get install python3-ipfix',
  ipfixDump: () => found('ipfixDump') || 'this needs libfixbuf: apt-get install libfixbuf-tools',
  nfcapd: () => ['nfcapd', 'nfdump'].every(found) || 'this needs nfdump: apt-get install nfdump',
  nfacctd: () => found('nfacctd') || 'this needs pmacct: apt-get install pmacct',
  systemd: () => found('systemd-analyze') || 'systemd-analyze is missing: apt-get install systemd',
  nspawn: () =>
    ['systemd-nspawn', 'systemd-sysusers', 'nsenter'].every(found) ||
    'a systemd in a container needs systemd-nspawn: apt-get install systemd-container',
  runc: () => found('runc') || 'runc is missing: apt-get install runc',
  docker: () =>
    ['dockerd', 'docker', 'containerd', 'runc', 'busybox', 'iptables'].every(found) ||
    'this needs Docker: apt-get install docker.io iptables busybox-static',
  podman: () =>
    (['podman', 'conmon', 'runc', 'busybox', 'curl'].every(found) && readable('/usr/lib/cni/bridge')) ||
    'this needs podman: apt-get install podman runc containernetworking-plugins busybox-static curl',
  rootless: () =>
    ['newuidmap', 'slirp4netns', 'setpriv'].every(found) ||
    'rootless podman needs more packages: apt-get install uidmap slirp4netns',
} satisfies Record<string, () => true | string>

export type Feature = keyof typeof FEATURES

/** Why this machine cannot run a test that needs these features, for tap's `skip` option; else false. */
export function needs(...features: Feature[]): string | false {
  for (const feature of features) {
    const answer = FEATURES[feature]()
    if (typeof answer === 'string') return answer
  }
  return false
}

function has(capability: bigint): boolean {
  const effective = /^CapEff:\s+([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return ((BigInt(`0x${effective}`) >> capability) & 1n) === 1n
}

function readable(path: string): boolean {
  return allows(path, constants.R_OK)
}

function value(path: string): string | undefined {
  return readable(path) ? readFileSync(path, 'utf8').trim() : undefined
}

function found(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter)
  return folders.some(folder => allows(join(folder, program), constants.X_OK))
}

function allows(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}
