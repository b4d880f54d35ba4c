/** The effect of signals on our programs, in one table. No signal opens a listener or leaves a core. */

import { isatty } from 'node:tty'

/** `hangup`: a daemon reads its settings again, unless its terminal is gone. */
type Action = 'stop' | 'hangup' | 'ignore'

const SIGNALS: Readonly<Partial<Record<NodeJS.Signals, Action>>> = {
  SIGTERM: 'stop',
  SIGINT: 'stop',
  SIGQUIT: 'stop', // no core: pending data is flushed first
  SIGPWR: 'stop',
  SIGXCPU: 'stop',
  SIGHUP: 'hangup',
  SIGUSR1: 'ignore', // Node.js would open its inspector, which gives anyone who reaches the port full control
  SIGUSR2: 'ignore',
  SIGPIPE: 'ignore',
  SIGALRM: 'ignore',
  SIGVTALRM: 'ignore',
  SIGIO: 'ignore',
}

/** Flags for Node.js before this module is loaded. Since 22.14. */
export const NODE_FLAGS = ['--disable-sigusr1', '--no-warnings'] as const

/** Time after which an orphan that hangs while it stops is killed. */
const ORPHAN_MS = 15_000

const controller = new AbortController()
let isGraceful = false
let isInstalled = false
let requests = 0
let hangup = () => {}
const lastWorks = new Set<() => void>()

/**
 * Call first. Until the program asks for `stopping()`, a signal to stop ends it at once.
 * @param isDaemon it goes on after a hang-up, unless it had a terminal that is gone
 */
export function handleSignals(isDaemon: boolean): void {
  if (isInstalled) return
  isInstalled = true
  const terminals = [0, 1, 2].filter(fd => isatty(fd))
  const stays = () => isDaemon && terminals.every(fd => isatty(fd))
  for (const [name, action] of Object.entries(SIGNALS) as [NodeJS.Signals, Action][])
    process.on(name, () => {
      if (action === 'stop') stop(name, ++requests > 1)
      else if (action === 'hangup') stays() ? hangup() : stop(name, false)
    })
  // `sockflux run` has the other end: it closes the channel to stop us, or it has ended
  if (process.connected) process.once('disconnect', orphaned).channel?.unref()
  else if (process.send) orphaned()
}

/** What a daemon does then; before this is called, nothing. */
export function onHangup(work: () => void): void {
  hangup = work
}

/** Work for when a signal ends the program at once: no 'exit' is emitted then. @returns takes it back */
export function beforeEnd(work: () => void): () => void {
  lastWorks.add(work)
  return () => void lastWorks.delete(work)
}

/** Aborted when the program must stop. A second request to stop ends it at once. */
export function stopping(): AbortSignal {
  isGraceful = true
  return controller.signal
}

/** Resolves when the program must stop. */
export async function stopped(): Promise<void> {
  const signal = stopping()
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
}

function stop(name: NodeJS.Signals, isAgain: boolean): void {
  if (isGraceful && !isAgain) controller.abort(name)
  else end(name)
}

function orphaned(): void {
  stop('SIGTERM', false)
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), ORPHAN_MS).unref()
}

/** Ends by the signal's default action, so that the parent sees the signal; but never with a core. */
function end(name: NodeJS.Signals): void {
  for (const work of lastWorks) work()
  const last = name === 'SIGINT' || name === 'SIGHUP' ? name : 'SIGTERM'
  process.removeAllListeners(last)
  process.kill(process.pid, last)
}
