/** The stack of the programs: kernels before 6.13 refuse those whose frames together have more than 512 bytes. */

import { execFileSync } from 'node:child_process'
import t from 'tap'
import { objectPath } from '../../../probe/kernel/load.ts'
import { needs } from '../../harness/skip.ts'

/** MAX_BPF_STACK, MAX_CALL_FRAMES and the size that a frame is rounded up to (kernel/bpf/verifier.c). */
const [MOST_BYTES, MOST_FRAMES, STEP] = [512, 8, 32]

interface Func {
  readonly name: string
  bytes: number
  /** Places of the functions that it calls, `section index`. */
  readonly calls: Set<string>
}

/** Functions by their place: their section, and the index of their first instruction. */
function functionsOf(text: string): Map<string, Func> {
  const found = new Map<string, Func>()
  const byName = new Map<string, string>()
  let section = ''
  let current: Func | undefined
  const calls: { by: Func; place: string; symbol?: string; offset: number }[] = []
  for (const line of text.split('\n')) {
    section = /^Disassembly of section (\S+):/.exec(line)?.[1] ?? section
    const [, address, name] = /^([0-9a-f]+) <(?!LBB)(\S+)>:/.exec(line) ?? []
    if (address !== undefined && name !== undefined) {
      const place = `${section} ${Number.parseInt(address, 16) / 8}`
      current = { name, bytes: 1, calls: new Set() }
      found.set(place, current)
      byName.set(name, place)
    }
    if (!current) continue
    for (const [, bytes] of line.matchAll(/r10 - (0x[0-9a-f]+|\d+)/g))
      current.bytes = Math.max(current.bytes, Number(bytes))
    const [, added] = /\sr\d+ \+= -(0x[0-9a-f]+|\d+)$/.exec(line) ?? []
    if (added !== undefined && Number(added) <= MOST_BYTES)
      current.bytes = Math.max(current.bytes, Number(added))
    // a call of a function, not of a helper: 85 10
    const [, at, by] = /^\s*(\d+):\s+85 10 .*call (-?(?:0x[0-9a-f]+|\d+))/.exec(line) ?? []
    if (at !== undefined && by !== undefined) {
      const offset = by.startsWith('-') ? -Number(by.slice(1)) : Number(by)
      calls.push({ by: current, place: `${section} ${Number(at) + 1 + offset}`, offset })
    }
    const [, symbol] = /R_BPF_64_32\s+(\S+)/.exec(line) ?? []
    if (symbol !== undefined) calls.at(-1)!.symbol = symbol
  }
  for (const { by, place, symbol, offset } of calls)
    by.calls.add(symbol === undefined ? place : (byName.get(symbol) ?? `${symbol} ${offset + 1}`))
  return found
}

interface Chain {
  readonly bytes: number
  readonly names: readonly string[]
}

function longest(functions: ReadonlyMap<string, Func>, place: string): Chain {
  const own = functions.get(place)
  if (!own) return { bytes: 0, names: [] } // of the kernel
  const below = [...own.calls].map(called => longest(functions, called))
  const most = below.reduce((a, b) => (b.bytes > a.bytes ? b : a), {
    bytes: 0,
    names: [] as readonly string[],
  })
  return {
    bytes: Math.ceil(own.bytes / STEP) * STEP + most.bytes,
    names: [own.name, ...most.names],
  }
}

t.test('every chain of calls fits the stack', { skip: needs('objdump') }, async t => {
  const text = execFileSync('llvm-objdump', ['-d', '-r', objectPath()], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  const functions = functionsOf(text)
  const chains = [...functions.keys()].map(place => longest(functions, place))
  t.ok(
    chains.some(({ names }) => names.length > 4),
    'calls are seen',
  )
  for (const { bytes, names } of chains) {
    t.ok(bytes <= MOST_BYTES, `${names.join(' > ')}: ${bytes} bytes`)
    t.ok(names.length <= MOST_FRAMES, `${names.join(' > ')}: ${names.length} frames`)
  }
})
