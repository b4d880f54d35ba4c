/**
 * What probe and collector say to each other: `topic · head · body · layout · who`, and back `ack · head`.
 *
 * Each message stands alone: head says which window of which probe it belongs to, body are rows, layout says how they
 * lie, who names what they refer to. The body of the message that ends a window, `window`, says who runs. A lost message
 * costs only itself. What seldom changes has a frame of its own, so that it is not parsed again. 64-bit numbers in JSON
 * are decimal strings.
 *
 * A probe that sends to one of several collectors says with `settled · head` where it begins: everything before that
 * window is in some collector's sinks. A collector forgets what it has of it: it may be half of what another has whole.
 */

import { HEAD, KEY, MalformedError, need, parse, RUNNING, SETTLED_HEAD, WHO, WINDOW_HEAD } from './check.ts'
import type { Known } from './known.ts'
import { checkLayout, type Layout } from './layout.ts'

export const SCHEMA = 1

/** One run of one probe. */
export interface Identity {
  readonly host: string
  /** /proc/sys/kernel/random/boot_id */
  readonly boot: string
  /** Names the run. */
  readonly probe: string
}

/** One window of it. */
export interface WindowKey extends Identity {
  /** Counted from 0 over the run. */
  readonly window: number
}

/** What was lost so far, by stage and reason: `kernel/slot`, `queue/full`. */
export type Losses = Readonly<Record<string, number>>

export interface Head extends WindowKey {
  readonly schema: number
  /** Counted from 0 over the run, one per message. */
  readonly sequence: number
  /** Start of the window, CLOCK_BOOTTIME nanoseconds. */
  readonly start_ns: string
  readonly lost: Losses
  /** Of the rows; absent where there are none. */
  readonly layout?: Layout
}

/** The first window that may not be in any collector's sinks. */
export interface SettledHead extends WindowKey {
  readonly schema: number
  /** Of its first message. */
  readonly sequence: number
  /** What the windows before it have told. */
  readonly lost: Losses
  /** Some of the windows before it were settled by another collector than the one that reads this. */
  readonly elsewhere: boolean
}

/** The head of the message that ends a window. */
export interface WindowHead extends Head {
  /** End of the window, CLOCK_BOOTTIME nanoseconds. */
  readonly end_ns: string
  /** The window's label: its end on the host's wall clock, seconds since the epoch, a multiple of the interval. */
  readonly time: number
  /** Seconds. */
  readonly interval: number
  /** Wall clock less CLOCK_BOOTTIME at the end, nanoseconds. */
  readonly clock_offset_ns: string
  /** True for the first and the last window of a run, which are not whole: they are shown and counted, never written. */
  readonly partial: boolean
}

export interface ContainerName {
  readonly runtime: string
  readonly name?: string
  readonly image?: string
  /** UID of its pod. */
  readonly pod?: string
  /** The pause container, which holds a pod's namespaces and is not counted. */
  readonly sandbox?: boolean
  /** Those that the probe was asked for. */
  readonly labels?: Readonly<Record<string, string>>
  /** Its name is on its way, and comes with the next window at the latest. */
  readonly pending?: boolean
}

export interface PodName {
  readonly name: string
  readonly namespace: string
  readonly labels?: Readonly<Record<string, string>>
}

export interface ProcessName {
  /** CLOCK_BOOTTIME nanoseconds: tells it from another one with its number. */
  readonly started_ns: string
  readonly comm: string
  /** Path of the program, from the root of its mount; `…/` before it when it is too deep. */
  readonly exe: string
  readonly parent: number
  readonly parent_comm: string
  /** User id on the host. */
  readonly uid: number
}

/** The names of what the rows of a message refer to. */
export interface Who {
  /** `hierarchy:cgroup` of a row → container id. A cgroup that is in no container is absent. */
  readonly cgroups: Readonly<Record<string, string>>
  /** `netns` of a row → id of a container that has no cgroup of its own; a row's cgroup goes first. */
  readonly netns?: Readonly<Record<string, string>>
  readonly containers: Readonly<Record<string, ContainerName>>
  readonly pods: Readonly<Record<string, PodName>>
}

/** The message that ends a window also says which containers run, with flows or without. */
export interface WindowWho extends Who {
  readonly running: readonly string[]
  /** `pid` of the window's rows → what is known of it; of a bounded number. */
  readonly processes?: Readonly<Record<string, ProcessName>>
}

export const WINDOW = 'window'
const ACK = 'ack'
export const SETTLED = 'settled'

/** A message as it came in, checked. */
export type Message =
  | { readonly topic: typeof WINDOW; readonly head: WindowHead; readonly who: WindowWho }
  | { readonly topic: typeof SETTLED; readonly head: SettledHead }
  | { readonly topic: string; readonly head: Head; readonly rows: Buffer; readonly who: Who }

const EMPTY = Buffer.alloc(0)
const jsonOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
/** Frames of what is said again and again. */
const said = new WeakMap<object, Buffer>()

function sayAgain(value: object): Buffer {
  let frame = said.get(value)
  if (!frame) {
    frame = jsonOf(value)
    said.set(value, frame)
  }
  return frame
}

/** The same layout, or names, as before are not written anew: neither is changed once it was said. */
export function encode(topic: string, { layout, ...head }: Head, rows: Buffer, who: Who): Buffer[] {
  return [Buffer.from(topic), jsonOf(head), rows, layout ? sayAgain(layout) : EMPTY, sayAgain(who)]
}

export function encodeWindow(head: WindowHead, { running, processes, ...names }: WindowWho): Buffer[] {
  return [Buffer.from(WINDOW), jsonOf(head), jsonOf({ running, processes }), EMPTY, jsonOf(names)]
}

export const encodeSettled = (head: SettledHead): Buffer[] => [
  Buffer.from(SETTLED),
  jsonOf(head),
  EMPTY,
  EMPTY,
  EMPTY,
]

export const encodeAck = (key: WindowKey): Buffer[] => [Buffer.from(ACK), jsonOf(key)]

/**
 * @param known parsed before
 * @throws {MalformedError}
 */
export function decode(frames: readonly Buffer[], known?: Known): Message {
  const [topic, head, body, layout, who] = frames
  if (!topic || !head || !body || !layout || !who || frames.length !== 5)
    throw new MalformedError('frames', `${frames.length} frames instead of 5`)
  const name = topic.toString('utf8')
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) throw new MalformedError('topic', 'the topic is no name')
  const headJson = parse(head, 'head')
  const { schema } = headJson
  if (Number.isSafeInteger(schema) && Number(schema) > SCHEMA)
    throw new MalformedError('schema', `a newer probe has sent it (schema ${schema}): update the collector`)
  if (name === SETTLED) {
    need(headJson, 'head', SETTLED_HEAD)
    return { topic: SETTLED, head: headJson as unknown as SettledHead }
  }
  need(headJson, 'head', name === WINDOW ? WINDOW_HEAD : HEAD)
  try {
    const probe = `${headJson['boot']} ${headJson['probe']}`
    const names = known ? known.who(probe, who, parseWho) : parseWho(who)
    if (name === WINDOW) return windowOf(headJson as unknown as WindowHead, body, names)
    const checked = { ...headJson, layout: layoutOf(layout, body, known) } as unknown as Head
    return { topic: name, head: checked, rows: body, who: names }
  } catch (error) {
    if (error instanceof MalformedError) error.head = headJson as unknown as Head
    throw error
  }
}

function windowOf(head: WindowHead, body: Buffer, who: Who): Message {
  // labels rise by at least the interval from window to window, so those of earlier ones can be told from this one's
  if (head.time < head.window * head.interval)
    throw new MalformedError('head_time', 'head.time is too early for so many windows')
  const runs = parse(body, 'running')
  need(runs, 'who', RUNNING)
  const { running, processes } = runs as unknown as Pick<WindowWho, 'running' | 'processes'>
  return { topic: WINDOW, head, who: { ...who, running, ...(processes && { processes }) } }
}

function layoutOf(frame: Buffer, rows: Buffer, known?: Known): Layout | undefined {
  if (frame.length === 0 && rows.length === 0) return undefined
  const layout = known ? known.layout(frame, parseLayout) : parseLayout(frame)
  if (rows.length % layout.size === 0) return layout
  throw new MalformedError('rows', `${rows.length} bytes are no whole number of records`)
}

function parseLayout(frame: Buffer): Layout {
  try {
    return checkLayout(parse(frame, 'layout'))
  } catch (error) {
    if (error instanceof MalformedError) throw error
    throw new MalformedError('layout', (error as Error).message)
  }
}

function parseWho(frame: Buffer): Who {
  const who = parse(frame, 'who')
  need(who, 'who', WHO)
  return who as unknown as Who
}

/** @throws {MalformedError} */
export function decodeAck(frames: readonly Buffer[]): WindowKey {
  const [topic, key] = frames
  if (!topic || !key || frames.length !== 2 || topic.toString('utf8') !== ACK)
    throw new MalformedError('frames', 'not an acknowledgement')
  const json = parse(key, 'ack')
  need(json, 'ack', KEY)
  return json as unknown as WindowKey
}
