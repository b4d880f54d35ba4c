/** The name of a process: its program or, where that is an interpreter, the script. */

import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { ProcessName } from '../../../wire/message.ts'
import { present } from '../disk/files.ts'
import { startOf } from '../process.ts'
import { isInterpreter, scriptOf } from './script.ts'

/** Of a process's arguments: the script is among the first. */
const MAX_BYTES = 4096
/** TASK_COMM_LEN, linux/sched.h, less the NUL. */
const COMM = 15
/** sysconf(_SC_CLK_TCK): 100 a second, on every machine that eBPF runs on. */
const TICK_NS = 10_000_000n
/** kthreadd(2) is the parent of all kernel threads: kernel/kthread.c. */
const KTHREADD = 2
/** One name for all kernel threads: their own names change with their work. */
export const KERNEL = '(kernel)'
/** Runtimes call their main thread so, and with it the process. */
const THREAD = /^(?:node-)?MainThread$|^GeckoMain$/

/** @param proc where procfs is mounted; read for interpreters only */
export function nameOf(pid: number, process: Omit<ProcessName, 'name'>, proc: string): string {
  const { comm, exe, parent } = process
  if (exe === '' && (parent === KTHREADD || pid === KTHREADD)) return KERNEL
  const program = exe.slice(exe.lastIndexOf('/') + 1).replace(/ \(deleted\)$/, '')
  if (isInterpreter(program)) {
    const script = scriptOf(program, argumentsOf(proc, pid, BigInt(process.started_ns)))
    return script ?? (THREAD.test(comm) || comm === '' ? program : comm)
  }
  // one program with many names (busybox) is called by the name that it was started with
  const isProgram = comm === '' || THREAD.test(comm) || (comm.length === COMM && program.startsWith(comm))
  return isProgram && program !== '' ? program : comm
}

/** None where it is gone, or another has its number. */
function argumentsOf(proc: string, pid: number, startedNs: bigint): readonly string[] {
  const text = present(() => {
    const file = openSync(join(proc, String(pid), 'cmdline'), 'r')
    try {
      const bytes = Buffer.alloc(MAX_BYTES)
      return bytes.toString('utf8', 0, readSync(file, bytes))
    } finally {
      closeSync(file)
    }
  })
  const start = startOf(proc, pid)
  if (!text || start === undefined || BigInt(start) !== startedNs / TICK_NS) return []
  // cut within an argument: that one is not whole
  return text.split('\0').slice(0, -1)
}
