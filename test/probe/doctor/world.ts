import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Test } from 'tap'
import type { Env } from '../../../probe/doctor/check.ts'
import { Cleanup } from '../../harness/cleanup.ts'
import { scratch } from '../../harness/scratch.ts'

/** A host made of a directory with these files; nothing runs there. */
export async function world(t: Test, files: Readonly<Record<string, string>> = {}): Promise<Env> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const root = await scratch(cleanup, 'doctor')
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  return {
    root,
    release: '6.18.0',
    object: async () => join(root, 'probe.bpf.o'),
    collectors: [],
    places: {
      containerdState: ['/run/containerd'],
      ociState: ['/run/user/*/crun'],
      dockerRoot: ['/var/lib/docker'],
      kubeletLogs: ['/var/log'],
      criSocket: ['/run/containerd/containerd.sock'],
      dockerSocket: ['/run/docker.sock'],
      podmanSocket: ['/run/podman/podman.sock'],
    },
    socket: '/run/sockflux/collector.sock',
    timeoutMs: 2000,
  }
}

/** proc_pid_status(5), as far as it matters here. */
export const status = (user: number, capabilities: bigint) =>
  `Name:\tnode\nUid:\t1000\t${user}\t${user}\t${user}\nCapEff:\t${capabilities.toString(16).padStart(16, '0')}\n`

export const EVERYTHING = (1n << 41n) - 1n
