import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { actorBinary } from './binary.ts'
import { cgroupMounts, makeCgroup } from './cgroup.ts'
import type { Closable } from './cleanup.ts'
import { inNetns } from './netns.ts'
import { type Child, start } from './process.ts'

/** A socket of an actor: its descriptor there, its own port and its peer's, 0 for none. */
export interface Socket {
  readonly fd: number
  readonly port: number
  readonly peer: number
}

/** What datagrams were sent and received, as told by the program that did it. */
export interface Traffic {
  readonly sent: number
  readonly bytes_sent: number
  readonly received: number
  readonly bytes_received: number
}

/** A process that does with sockets what it is told: the commands are in the tables of actor/*.c. */
export class Actor implements Closable {
  readonly pid: number
  readonly #child: Child
  readonly #prefix: string
  #mailbox: number | undefined

  constructor(child: Child, pid: number, prefix = '') {
    this.#child = child
    this.pid = pid
    this.#prefix = prefix
  }

  /** Has a command obeyed; throws if that failed. */
  async do<T = Record<string, unknown>>(command: string): Promise<T> {
    const told = await this.#child.ask<T & { error?: string }>(this.#prefix + command)
    if (told.error) throw new Error(`${command}: ${told.error}`)
    return told
  }

  socket(command: string): Promise<Socket> {
    return this.do<Socket>(command)
  }

  traffic(command: string): Promise<Traffic> {
    return this.do<Traffic>(command)
  }

  /** A child that inherits the sockets; it ends with its parent. */
  async fork(): Promise<Actor> {
    const { child, pid } = await this.do<{ child: number; pid: number }>('fork')
    return new Actor(this.#child, pid, `${this.#prefix}in ${child} `)
  }

  /** Passes a descriptor to another actor of the same network namespace, as SCM_RIGHTS. */
  async give(fd: number, to: Actor): Promise<Socket> {
    to.#mailbox ??= (await to.do<{ fd: number }>('mailbox')).fd
    await this.do(`give ${fd} ${to.pid}`)
    return to.socket(`take ${to.#mailbox}`)
  }

  /** Becomes another program that has `fd` as the descriptors `targets`. */
  async exec(path: string, fd: number, ...targets: number[]): Promise<void> {
    await this.do(`exec ${path} ${fd} ${targets.join(' ')}`)
  }

  /** An actor that was started, or became one anew, says so. */
  async ready(): Promise<void> {
    await this.#child.line(/^\{"pid":/)
  }

  /** Moves to a cgroup of the default hierarchy, made on demand; returns its id. */
  async enter(cgroup: string): Promise<number> {
    const root = cgroupMounts().find(({ type }) => type === 'cgroup2')!.path
    await makeCgroup(cgroup, [root])
    await writeFile(join(root, cgroup, 'cgroup.procs'), String(this.pid))
    return (await stat(join(root, cgroup))).ino
  }

  close(): Promise<void> {
    return this.#child.close()
  }
}

export async function startActor(netns: string): Promise<Actor> {
  const child = start(inNetns(netns, [await actorBinary()]))
  const actor = new Actor(child, child.pid)
  await actor.ready()
  return actor
}
