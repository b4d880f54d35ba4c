/**
 * What probe and collector say to each other: `topic · head · rows · who`, and back `ack · head`.
 *
 * Each message stands alone: head says which window of which probe it belongs to and how its rows lie, who names what
 * they refer to. A lost message costs only itself. 64-bit numbers in JSON are decimal strings.
 */

import type { KnownWho } from './known_who.ts'
import { checkLayout, type Layout } from './layout.ts'

export const SCHEMA = 1

/** One window of one run of one probe. */
export interface WindowKey {
  readonly host: string
  /** /proc/sys/kernel/random/boot_id */
  readonly boot: string
  /** Names one run of a probe. */
  readonly probe: string
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
  /** True for the first window of a run, which began before its boundary: it is shown and never written. */
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
export const ACK = 'ack'

/** A message as it came in, checked. */
export type Message =
  | { readonly topic: typeof WINDOW; readonly head: WindowHead; readonly who: WindowWho }
  | { readonly topic: string; readonly head: Head; readonly rows: Buffer; readonly who: Who }

/** Why a frame is no message: `reason` is one word for the counter. */
export class MalformedError extends Error {
  override name = 'MalformedError'
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

export const encode = (topic: string, head: Head, rows: Buffer, who: Who): Buffer[] => [
  Buffer.from(topic),
  Buffer.from(JSON.stringify(head)),
  rows,
  Buffer.from(JSON.stringify(who)),
]

export const encodeAck = (key: WindowKey): Buffer[] => [Buffer.from(ACK), Buffer.from(JSON.stringify(key))]

type Json = Record<string, unknown>

function parse(frame: Buffer, name: string): Json {
  let value: unknown
  try {
    value = JSON.parse(frame.toString('utf8'))
  } catch {
    throw new MalformedError(`${name}_json`, `${name} is not JSON`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MalformedError(`${name}_json`, `${name} is not a JSON object`)
  return value as Json
}

/** Of anything that has a name; InfluxDB takes tags up to 64 KB, people no more than this. */
const MOST_CHARACTERS = 512
const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MOST_CHARACTERS
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isNanoseconds = (value: unknown): value is string =>
  typeof value === 'string' && /^-?\d{1,20}$/.test(value)

function need(
  json: Json,
  frame: string,
  fields: Readonly<Record<string, (value: unknown) => boolean>>,
): void {
  for (const [name, ok] of Object.entries(fields))
    if (!ok(json[name])) throw new MalformedError(`${frame}_${name}`, `${frame}.${name} is missing or wrong`)
}

const KEY = { host: isName, boot: isName, probe: isName, window: isCount }

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isRecordOf = (ok: (value: unknown) => boolean) => (value: unknown) =>
  isRecord(value) &&
  Object.entries(value).every(([name, value]) => name.length <= MOST_CHARACTERS && ok(value))
const isOptional = (ok: (value: unknown) => boolean) => (value: unknown) => value === undefined || ok(value)
const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= MOST_CHARACTERS
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'

/** Kept for as long as the probe lives: bounded. */
const isLosses = (value: unknown): boolean =>
  isRecordOf(isCount)(value) &&
  Object.keys(value as Json).length <= 256 &&
  Object.keys(value as Json).every(reason => reason.length <= 64)
/** Seconds: until the end of the year 9999, where dates end. */
const isTime = (value: unknown): boolean => isCount(value) && value <= 253_402_300_799
/** Seconds: from one to a day. */
const isInterval = (value: unknown): boolean => isCount(value) && value >= 1 && value <= 86_400

const HEAD = {
  schema: isCount,
  ...KEY,
  sequence: isCount,
  start_ns: isNanoseconds,
  lost: isLosses,
}
const WINDOW_HEAD = {
  ...HEAD,
  end_ns: isNanoseconds,
  time: isTime,
  interval: isInterval,
  clock_offset_ns: isNanoseconds,
  partial: isBoolean,
}
/** Only those that somebody asked for come along. */
const isLabels = (value: unknown): boolean =>
  isRecordOf(isText)(value) && Object.keys(value as Json).length <= 64
const isContainer = (value: unknown): boolean =>
  isRecord(value) &&
  isText(value['runtime']) &&
  [value['name'], value['image'], value['pod']].every(isOptional(isText)) &&
  [value['sandbox'], value['pending']].every(isOptional(isBoolean)) &&
  isOptional(isLabels)(value['labels'])
const isPod = (value: unknown): boolean =>
  isRecord(value) &&
  isName(value['name']) &&
  isText(value['namespace']) &&
  isOptional(isLabels)(value['labels'])
const isProcess = (value: unknown): boolean =>
  isRecord(value) &&
  isNanoseconds(value['started_ns']) &&
  [value['comm'], value['exe'], value['parent_comm']].every(isText) &&
  [value['parent'], value['uid']].every(isCount)
const WHO = {
  cgroups: isRecordOf(isName),
  netns: isOptional(isRecordOf(isName)),
  containers: isRecordOf(isContainer),
  pods: isRecordOf(isPod),
}
const isNames = (value: unknown): boolean => Array.isArray(value) && value.every(isName)

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
  need(headJson, 'head', name === WINDOW ? WINDOW_HEAD : HEAD)
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
  need(
    who,
    'who',
    topic === WINDOW ? { ...WHO, running: isNames, processes: isOptional(isRecordOf(isProcess)) } : WHO,
  )
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
