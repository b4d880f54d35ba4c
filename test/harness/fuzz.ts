/** Messages of a probe with mistakes of every kind, the same for the same seed. */

import { encodeMessage, encodeSettled, encodeWindow, type WindowHead } from '../../wire/message.ts'
import { bundleOf } from './bundle.ts'
import { encodeRows, tcpFlowLayout } from './rows.ts'

/** A generator of numbers below `below`: mulberry32. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}
type Random = (below: number) => number

export const headOf = (host: string, window: number, sequence = window): WindowHead => ({
  ...{ host, boot: 'b', probe: `run of ${host}`, window, sequence, lost: {} },
  ...{ start_ns: '1', end_ns: '2', clock_offset_ns: '0', interval: 1, partial: false },
  time: Math.floor(Date.now() / 1000) - 3600 + window,
})

const names = {
  cgroups: { '1:7': 'a'.repeat(64) },
  containers: { ['a'.repeat(64)]: { runtime: 'containerd', name: 'main', pod: 'uid', labels: { app: 'x' } } },
  pods: { uid: { name: 'pod-0', namespace: 'trade' } },
}

/** A right message of each topic. */
export function examples(host: string): readonly (readonly Buffer[])[] {
  const layout = tcpFlowLayout()
  const rows = encodeRows(layout, [{ cgroup: 7, bytes_sent: 5 } as never, {}, {}])
  const bundle = bundleOf({ layout, bytes: rows })
  const head = headOf(host, 3)
  return [
    encodeMessage(head, bundle, names),
    encodeWindow(head, bundle, { ...names, running: ['a'.repeat(64)] }),
    encodeSettled({ ...head, elsewhere: true }),
  ]
}

const NUMBERS = [
  '-1',
  '1e308',
  '9007199254740993',
  '0.5',
  'null',
  '"x"',
  '{}',
  '[[[[[[[[[[]]]]]]]]]]',
  '4294967296',
]
const WORDS = ['constructor', '__proto__', 'toString', '\\u0000', '\\ud800', 'web1', '~other', 'a,b=c d']

type Mutation = (frames: Buffer[], random: Random) => void
const pick = (frames: readonly Buffer[], random: Random): number => random(frames.length)

const MUTATIONS: readonly Mutation[] = [
  function flip(frames, random) {
    const at = pick(frames, random)
    const frame = Buffer.from(frames[at]!)
    for (let count = 1 + random(4); count > 0 && frame.length > 0; count--)
      frame[random(frame.length)] = random(256)
    frames[at] = frame
  },
  function cut(frames, random) {
    const at = pick(frames, random)
    frames[at] = frames[at]!.subarray(0, random(frames[at]!.length + 1))
  },
  function grow(frames, random) {
    const at = pick(frames, random)
    frames[at] = Buffer.concat([frames[at]!, Buffer.alloc(random(5000), random(256))])
  },
  function drop(frames, random) {
    frames.splice(pick(frames, random), 1)
  },
  function repeat(frames, random) {
    const at = pick(frames, random)
    frames.splice(at, 0, ...Array.from({ length: 1 + random(20) }, () => frames[at]!))
  },
  function swap(frames, random) {
    const [a, b] = [pick(frames, random), pick(frames, random)]
    ;[frames[a], frames[b]] = [frames[b]!, frames[a]!]
  },
  function number(frames, random) {
    const numbers = [...frames[1]!.toString('latin1').matchAll(/\d+/g)]
    const found = numbers[random(numbers.length)]
    if (found) replace(frames, found.index, found[0].length, NUMBERS[random(NUMBERS.length)]!)
  },
  function word(frames, random) {
    const words = [...frames[1]!.toString('latin1').matchAll(/(?<=")[^"]+(?=")/g)]
    const found = words[random(words.length)]
    if (found) replace(frames, found.index, found[0].length, WORDS[random(WORDS.length)]!)
  },
  function bomb(frames, random) {
    const at = pick(frames, random)
    const piece = ['[', '{"a":', '{},', '[[],'][random(4)]!
    frames[at] = Buffer.from(piece.repeat(random(20_000)))
  },
  function opening(frames, random) {
    frames.splice(
      0,
      frames.length,
      Buffer.from(['hello/2', 'answer/2', 'welcome/2', 'denied/2'][random(4)]!),
      frames[1]!,
    )
  },
]

function replace(frames: Buffer[], at: number, length: number, text: string): void {
  const head = frames[1]!
  frames[1] = Buffer.concat([head.subarray(0, at), Buffer.from(text), head.subarray(at + length)])
}

/** A right message with one to three mistakes. */
export function mutated(of: readonly (readonly Buffer[])[], random: Random): Buffer[] {
  const frames = [...of[random(of.length)]!]
  for (let count = 1 + random(3); count > 0 && frames.length > 1; count--)
    MUTATIONS[random(MUTATIONS.length)]!(frames, random)
  return frames.length > 0 ? frames : [Buffer.alloc(0)]
}
