/** Keys for a test, and peers that speak on the link by themselves: honest, forging or strange. */

import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Dialled, dial } from '../../probe/publish/link/dial.ts'
import { introduce } from '../../probe/publish/link/introduce.ts'
import type { Curve } from '../../wire/link/curves.ts'
import { generateKeys, type KeyPair } from '../../wire/link/key.ts'

/** The directory of a collector's keys, which lists those of its probes, and a directory of keys for each probe. */
export class Keys {
  readonly directory: string
  readonly collector = generateKeys()
  readonly #hosts = new Map<string, KeyPair>()

  constructor(directory: string) {
    this.directory = directory
  }

  /** For `--keys` of the probe of this host, which is made and allowed when it is new. */
  async of(host: string): Promise<string> {
    const keys = this.pair(host)
    const own = join(this.directory, host)
    await mkdir(own, { recursive: true })
    await writeFile(join(own, 'probe.key'), `${keys.secretKey}\n`, { mode: 0o600 })
    await writeFile(join(own, 'collector.pub'), `${this.collector.publicKey}\n`)
    return own
  }

  pair(host: string): KeyPair {
    const pair = this.#hosts.get(host) ?? generateKeys()
    this.#hosts.set(host, pair)
    return pair
  }

  /** Both ends of a connection of this host. */
  curve(host: string): Curve {
    return { own: this.pair(host), collector: this.collector.publicKey }
  }

  /** Writes the collector's files; without these hosts. */
  async write(...without: string[]): Promise<void> {
    await writeFile(join(this.directory, 'collector.key'), `${this.collector.secretKey}\n`, { mode: 0o600 })
    const lines = [...this.#hosts]
      .filter(([host]) => !without.includes(host))
      .map(([host, { publicKey }]) => `${host} ${publicKey}\n`)
    await writeFile(join(this.directory, 'allowed'), lines.join(''))
  }
}

/** @param hosts whose probes are allowed */
export async function makeKeys(directory: string, ...hosts: string[]): Promise<Keys> {
  const keys = new Keys(join(directory, 'keys'))
  await mkdir(keys.directory)
  for (const host of hosts) await keys.of(host)
  await keys.write()
  return keys
}

/** A holder of a key that says what it likes. */
export interface Holder {
  readonly dialled: Dialled
  readonly token: Buffer
  send(frames: readonly Buffer[]): Promise<void>
  receive(): Promise<Buffer[]>
}

/** @throws with what the collector says when it does not take it */
export async function holder(address: string, host: string, curve: Curve): Promise<Holder> {
  const dialled = dial({ address, security: 'curve', curve })
  const why = await dialled.ready
  const introduced = why === undefined ? await introduce(dialled, host, curve) : { why }
  if ('why' in introduced) {
    dialled.close()
    throw new Error(introduced.why)
  }
  const { token } = introduced
  // else what waits for it would wait for ever
  void dialled.ended.then(() => dialled.close())
  return {
    ...{ dialled, token },
    send: frames => dialled.socket.send([token, ...frames]),
    receive: () => dialled.socket.receive(),
  }
}

/** The most memory that a process had, MiB: VmHWM of proc_pid_status(5). */
export const peakMib = (pid: number): number =>
  Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
