/**
 * Ends the children of `sockflux run` if it is killed itself. Children notice that and stop; a child that hangs, for example
 * in a system call at start, does not. A small shell in its own session waits for our end and then kills it.
 */

import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** Time for the children to stop, in tenths of a second; longer than a flush takes. */
const PATIENCE_TENTHS = 120
/** Reads pids; if its input ends without `done`, it kills the processes that are still there. */
const scriptOf = (patience: number): string => `
trap '' HUP INT TERM QUIT USR1 USR2 ALRM PIPE
pids=
while read -r line; do
  [ "$line" = done ] && exit
  pids="$pids $line"
done
left=${patience}
while [ $left -gt 0 ]; do
  alive=
  for pid in $pids; do kill -0 $pid 2>/dev/null && alive="$alive $pid"; done
  pids=$alive
  [ -n "$pids" ] || exit
  sleep 0.1
  left=$((left - 1))
done
kill -KILL $pids`

export class Guardian {
  readonly #pipe: Writable

  /** @param patience tenths of a second */
  constructor(patience = PATIENCE_TENTHS) {
    const shell = spawn('/bin/sh', ['-c', scriptOf(patience)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    // it stays in the foreground: Node.js closes the pipe when the process that it started ends
    this.#pipe = shell.stdin
    shell.unref()
    // no shell, or it was killed: children that do not hang still notice our end
    shell.on('error', () => {})
    this.#pipe.on('error', () => {})
  }

  watch(pid: number): void {
    this.#pipe.write(`${pid}\n`)
  }

  /** All children have ended. */
  close(): void {
    this.#pipe.end('done\n')
  }
}
