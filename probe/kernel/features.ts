/** What the kernel, its configuration and its clocks allow. */

import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf, type Finding, type Host, textIn } from './finding.ts'

const BTF = '/sys/kernel/btf/vmlinux'
/** A clock before this project's start was never set. */
const EARLIEST = Date.UTC(2024, 0, 1)
/** The probe opens about 100: maps, programs, links, rings and sockets. */
const FILES = 256

export function kernel({ release }: Host): Finding {
  return { name: 'kernel', ok: true, found: `Linux ${release}, ${process.arch}` }
}

export function btf(env: Pick<Host, 'root'>): Finding {
  try {
    closeSync(openSync(join(env.root, BTF), 'r'))
    return { name: 'btf', ok: true, found: BTF }
  } catch (error) {
    return {
      name: 'btf',
      ok: false,
      found: `the kernel's type information cannot be read (${BTF}: ${codeOf(error)})`,
      remedy: 'boot a kernel with CONFIG_DEBUG_INFO_BTF=y and let /sys be mounted',
    }
  }
}

/** `none [integrity] confidentiality`: the one in force is in brackets. */
export function lockdown(env: Pick<Host, 'root'>): Finding {
  const text = textIn(env, '/sys/kernel/security/lockdown')
  const mode = /\[(\w+)\]/.exec(text ?? '')?.[1]
  if (mode !== 'confidentiality')
    return { name: 'lockdown', ok: true, found: mode ?? 'not to be seen (securityfs is not mounted)' }
  return {
    name: 'lockdown',
    ok: false,
    found: 'lockdown=confidentiality forbids eBPF programs to read kernel memory',
    remedy: 'boot with lockdown=integrity',
  }
}

/** Since Linux 5.11 (commit 3ac1f01b43b6) eBPF memory is charged to the memory cgroup, not to RLIMIT_MEMLOCK. */
export function limits(env: Host): Finding {
  const text = textIn(env, '/proc/self/limits') ?? ''
  const softLimit = (name: string) => new RegExp(`^${name} +(\\w+)`, 'm').exec(text)?.[1] ?? 'unknown'
  const [files, locked] = [softLimit('Max open files'), softLimit('Max locked memory')]
  const found = `${files} open files, ${locked} bytes of locked memory`
  const [major = 0, minor = 0] = env.release.split(/[.-]/).map(Number)
  if ((major < 5 || (major === 5 && minor < 11)) && locked !== 'unlimited')
    return {
      name: 'limits',
      ok: 'warn',
      found: `${found}, to which eBPF maps count before Linux 5.11`,
      remedy: 'LimitMEMLOCK=infinity in the systemd unit, or ulimit -l unlimited',
    }
  if (Number(files) < FILES)
    return {
      name: 'limits',
      ok: 'warn',
      found,
      remedy: `LimitNOFILE=${FILES} or more in the systemd unit, or ulimit -n`,
    }
  return { name: 'limits', ok: true, found }
}

/** time_namespaces(7): BPF programs read the host's boot time; the probe's would be shifted. */
export function clock(env: Host, now = new Date()): Finding {
  const [, seconds, nanoseconds] =
    /^boottime\s+(-?\d+)\s+(\d+)/m.exec(textIn(env, '/proc/self/timens_offsets') ?? '') ?? []
  const found = now.toISOString()
  if (Number(seconds ?? 0) !== 0 || Number(nanoseconds ?? 0) !== 0)
    return {
      name: 'clock',
      ok: false,
      found: `this time namespace shifts the boot time by ${seconds} s, so that no record fits a window`,
      remedy: "run it in the host's time namespace",
    }
  if (now.getTime() < EARLIEST)
    return { name: 'clock', ok: 'warn', found, remedy: 'set the clock, for example with NTP' }
  return { name: 'clock', ok: true, found }
}
