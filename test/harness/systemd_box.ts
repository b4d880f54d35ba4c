/**
 * A real systemd, this machine's own, as the first process of a container: nspawn boots a small root of its own with this
 * machine's /usr read-only in it. The kernel, its capabilities and its BPF are the machine's.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { cgroupMounts, makeCgroup, processesIn, removeCgroup } from './cgroup.ts'
import { type Cgroups, inLayout } from './cgroup_layout.ts'
import { type Closable, closable } from './cleanup.ts'
import { endGroup, watchGroup } from './group.ts'
import { createNetns } from './netns.ts'
import { run, signal } from './process.ts'
import { REPOSITORY } from './repository.ts'
import { scratch } from './scratch.ts'
import { makeRoot } from './systemd_root.ts'
import { until } from './until.ts'

/** Where the repository is in the box. */
export const INSTALLED = '/opt/sockflux'
const BOOT_MS = 60_000
/** An installation starts services. */
const RUN_MS = 120_000
/** This machine's programs, and the repository. */
const MOUNTS = ['--bind-ro=/usr', `--bind-ro=${REPOSITORY}:${INSTALLED}`]

export class SystemdBox {
  readonly root: string
  readonly #netns: string
  readonly #cgroup: string
  readonly #options: readonly string[]
  readonly #cgroups: Cgroups | undefined
  #nspawn: ReturnType<typeof spawn> | undefined

  /**
   * @param options of systemd-nspawn: what is mounted
   * @param cgroups another layout than the machine's
   */
  constructor(
    root: string,
    netns: string,
    cgroup: string,
    options: readonly string[] = MOUNTS,
    cgroups?: Cgroups,
  ) {
    this.root = root
    this.#netns = netns
    this.#cgroup = cgroup
    this.#options = options
    this.#cgroups = cgroups
  }

  /** Waits until systemd has started what its target wants. */
  async boot(): Promise<void> {
    const moves = hierarchies().map(root => `echo $$ >"${join(root, this.#cgroup)}/cgroup.procs"`)
    const nspawn = [
      ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--console=pipe'],
      ...['--directory', this.root, ...this.#options],
      ...['--bind=/sys/fs/bpf', '--bind=/sys/kernel/tracing', '--capability=all'],
      ...[`--network-namespace-path=${this.#netns}`, '--boot', 'systemd.unit=multi-user.target'],
    ]
    const command = this.#cgroups ? inLayout(this.#cgroups, nspawn) : nspawn
    const env = { ...process.env, SYSTEMD_SECCOMP: '0', SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'yes' }
    const script = [...moves, 'exec "$@"'].join('\n')
    this.#nspawn = spawn('sh', ['-c', script, 'sh', ...command], {
      env,
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    if (this.#nspawn.pid !== undefined) watchGroup(this.#nspawn.pid)
    let said = ''
    this.#nspawn.stderr!.setEncoding('utf8').on('data', text => {
      said += text
    })
    await until(
      'systemd in the box',
      async () => {
        if (this.#nspawn?.exitCode !== null) throw new Error(`systemd-nspawn ended: ${said}`)
        const state = await this.run('sh', '-c', 'systemctl is-system-running || true').catch(String)
        return /^(running|degraded)$/m.test(state)
      },
      BOOT_MS,
    )
  }

  /** Runs a program in the box, as root. */
  async run(...words: readonly string[]): Promise<string> {
    const enter = [
      'nsenter',
      '--target',
      String(this.#init()),
      '-m',
      '-p',
      '-n',
      '-i',
      '-u',
      '-C',
      '-r',
      '-w',
    ]
    return run(
      [...enter, 'env', '-i', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LANG=C.UTF-8', ...words],
      RUN_MS,
    )
  }

  async write(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.root, path)), { recursive: true })
    await writeFile(join(this.root, path), text)
  }

  /** A property of a unit. */
  async show(unit: string, property: string): Promise<string> {
    return (await this.run('systemctl', 'show', '--value', `--property=${property}`, unit)).trim()
  }

  /** The pid of a unit's main process, as this machine sees it; undefined while there is none. */
  async pidOf(unit: string): Promise<number | undefined> {
    const inside = Number(await this.show(unit, 'MainPID'))
    return inside > 0 ? processesIn(this.#cgroup).find(pid => isPid(pid, inside)) : undefined
  }

  /** Messages of a unit with their priorities, oldest first. */
  async journal(unit: string): Promise<{ priority: number; message: string }[]> {
    const lines = await this.run('journalctl', '--output=json', '--no-pager', `--unit=${unit}`)
    return lines
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as Record<string, string>)
      .map(({ PRIORITY, MESSAGE }) => ({ priority: Number(PRIORITY), message: String(MESSAGE) }))
  }

  /** All in it end, and it starts again with the files that it has. */
  async reboot(): Promise<void> {
    const ended = once(this.#nspawn!, 'exit')
    await this.run('systemctl', '--no-block', 'reboot')
    await ended
    await this.boot()
  }

  async stop(): Promise<void> {
    const nspawn = this.#nspawn
    if (nspawn?.exitCode === null) {
      const ended = once(nspawn, 'exit')
      // nspawn's own way to say poweroff; and what does not listen is killed
      signal(nspawn.pid!, 'SIGTERM')
      const late = setTimeout(() => signal(-nspawn.pid!, 'SIGKILL'), 10_000)
      await ended
      clearTimeout(late)
    }
    if (nspawn?.pid !== undefined) endGroup(nspawn.pid)
    await removeCgroup(this.#cgroup)
  }

  /** nspawn's child outside its own helper: the first process of the box. */
  #init(): number {
    const pid = processesIn(this.#cgroup).find(pid => isPid(pid, 1))
    if (pid === undefined) throw new Error('the box has no first process yet')
    return pid
  }
}

/** Those that systemd uses; nspawn makes groups in them below its own, which two boxes must not share. */
export const hierarchies = (): string[] =>
  cgroupMounts().flatMap(({ path, type }) =>
    type === 'cgroup2' || basename(path) === 'systemd' ? [path] : [],
  )

/** Whether a process has that number in its own, innermost namespace. */
function isPid(pid: number, inside: number): boolean {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const ids = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? []
    return ids.length > 1 && Number(ids.at(-1)) === inside
  } catch {
    return false
  }
}

interface Files {
  /** They go to /etc/systemd/system, with the repository's command in them. */
  readonly units?: readonly string[]
  /** sysusers.d(5): the users are there before the first boot, as a package makes them. */
  readonly sysusers?: string
  /** tmpfiles.d(5) */
  readonly tmpfiles?: string
}

export function openSystemdBox({
  units = [],
  sysusers,
  tmpfiles,
}: Files = {}): Promise<SystemdBox & Closable> {
  return closable(async cleanup => {
    const root = join(await scratch(cleanup, 'box'), 'root')
    const netns = await createNetns()
    cleanup.defer(() => netns.close())
    await makeRoot(root)
    for (const unit of units) {
      const text = await readFile(unit, 'utf8')
      await writeFile(
        join(root, 'etc/systemd/system', basename(unit)),
        text.replaceAll('/usr/bin/sockflux', `${INSTALLED}/build/sockflux`),
      )
    }
    const cgroup = `/sockflux-test-${process.pid}`
    await makeCgroup(cgroup, hierarchies())
    const box = new SystemdBox(root, netns.path, cgroup)
    cleanup.defer(() => box.stop())
    if (sysusers !== undefined) await run(['systemd-sysusers', `--root=${root}`, sysusers])
    if (tmpfiles !== undefined)
      await box.write('etc/tmpfiles.d/sockflux.conf', await readFile(tmpfiles, 'utf8'))
    await box.boot()
    return box
  })
}
