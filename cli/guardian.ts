/**
 * Ends what `sockflux run` started when it is killed itself. Its children notice that and stop by themselves; one that hangs,
 * as in a system call of its start, notices nothing: a small shell of its own session waits for our end and then kills it.
 */

import { spawn } from 'node:child_process'
import type { Writable } from 'node:stream'

/** Longer than a child takes to flush. In tenths of a second. */
const PATIENCE = 120
/** Reads pids; when we are gone without `done`, whatever of them is left is killed. */
const SCRIPT = `
exec 3<&0
(
  trap '' HUP INT TERM QUIT
  pids=
  while read -r line; do
    [ "$line" = done ] && exit
    pids="$pids $line"
  done
  left=${PATIENCE}
  while [ $left -gt 0 ]; do
    alive=
    for pid in $pids; do kill -0 $pid 2>/dev/null && alive="$alive $pid"; done
    pids=$alive
    [ -n "$pids" ] || exit
    sleep 0.1
    left=$((left - 1))
  done
  kill -KILL $pids
) <&3 3<&- &`

export class Guardian {
  readonly #pipe: Writable

  constructor() {
    const shell = spawn('/bin/sh', ['-c', SCRIPT], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
    this.#pipe = shell.stdin
    // without a shell, or one that was killed: children that do not hang still notice our end
    shell.on('error', () => {})
    this.#pipe.on('error', () => {})
  }

  watch(pid: number): void {
    this.#pipe.write(`${pid}\n`)
  }

  /** Nothing is left to watch. */
  close(): void {
    this.#pipe.end('done\n')
  }
}
