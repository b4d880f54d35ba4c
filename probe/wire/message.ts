/**
 * What probe and collector say to each other: `topic · head · rows · who`, and back `ack · head`.
 *
 * Each message stands alone: head says which window of which probe it belongs to and how its rows lie, who names what
 * they refer to. A lost message costs only itself. 64-bit numbers in JSON are decimal strings.
 *
 * A probe that sends to one of several collectors says with `settled · head` where it begins: everything before that
 * window is in some collector's sinks. A collector forgets what it has of it: it may be half of what another has whole.
 */

import {
  HEAD,
  type Json,
  KEY,
  MalformedError,
  need,
  parse,
  SETTLED_HEAD,
  WHO,
  WINDOW_HEAD,
  WINDOW_WHO,
} from './check.ts'
import type { KnownWho } from './known_who.ts'
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

/** `who` of the message that ends a window also says which containers run, with flows or without. */
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

export const encode = (topic: string, head: Head, rows: Buffer, who: Who): Buffer[] => [
  Buffer.from(topic),
  Buffer.from(JSON.stringify(head)),
  rows,
  Buffer.from(JSON.stringify(who)),
]

const EMPTY = Buffer.alloc(0)
export const encodeSettled = (head: SettledHead): Buffer[] => [
  Buffer.from(SETTLED),
  Buffer.from(JSON.stringify(head)),
  EMPTY,
  EMPTY,
]

export const encodeAck = (key: WindowKey): Buffer[] => [Buffer.from(ACK), Buffer.from(JSON.stringify(key))]

function layoutOf(json: Json, rows: Buffer): Layout | undefined {
  if (json['layout'] === undefined && rows.length === 0) return undefined
  try {
    const layout = checkLayout(json['layout'])
    if (rows.length % layout.size === 0) return layout
  } catch (error) {
    throw new MalformedError('layout', (error as Error).message)
  }
  throw new MalformedError('rows', `${rows.length} bytes are no whole number of records`)
}

/**
 * @param known parsed before
 * @throws {MalformedError}
 */
export function decode(frames: readonly Buffer[], known?: KnownWho): Message {
  const [topic, head, rows, who] = frames
  if (!topic || !head || !rows || !who || frames.length !== 4)
    throw new MalformedError('frames', `${frames.length} frames instead of 4`)
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
    return decodeBody(name, headJson, rows, who, known)
  } catch (error) {
    if (error instanceof MalformedError) error.head = headJson as unknown as Head
    throw error
  }
}

function decodeBody(name: string, headJson: Json, rows: Buffer, who: Buffer, known?: KnownWho): Message {
  const names = namesOf(name, headJson, who, known)
  if (name === WINDOW) {
    const window = headJson as unknown as WindowHead
    // labels rise by at least the interval from window to window, so those of earlier ones can be told from this one's
    if (window.time < window.window * window.interval)
      throw new MalformedError('head_time', 'head.time is too early for so many windows')
    return { topic: WINDOW, head: window, who: names as WindowWho }
  }
  const layout = layoutOf(headJson, rows)
  const checked = { ...headJson, layout } as unknown as Head
  return { topic: name, head: checked, rows, who: names }
}

function namesOf(topic: string, head: Json, frame: Buffer, known?: KnownWho): Who {
  const key = `${topic === WINDOW} ${head['boot']} ${head['probe']}`
  const before = known?.get(key, frame)
  if (before) return before
  const who = parse(frame, 'who')
  need(who, 'who', topic === WINDOW ? WINDOW_WHO : WHO)
  known?.set(key, frame, who as unknown as Who)
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
