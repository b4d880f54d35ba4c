/**
 * What the probe sends to the collector: `topic · head · layouts · rows · names`, the answers are in `ack.ts`. The
 * topic has the version with it, see `version.ts`.
 *
 * Each message stands alone: head has the window and the probe that it belongs to, rows are of one or more records, layouts
 * describe their fields, names resolve what they refer to. The last message of a window, `window`, has one more frame, with
 * the running containers. A lost message costs only itself. What seldom changes has a frame of its own, so that it is not parsed
 * again. 64-bit numbers in JSON are decimal strings.
 *
 * A probe that sends to one of several collectors begins with `settled · head`: everything before that
 * window is in some collector's sinks. A collector drops the rows that it has of them: another may have the whole windows.
 */

import {
  HEAD,
  MAX_PARTS,
  MalformedError,
  NAMES,
  need,
  parse,
  parseJson,
  RUNNING,
  SETTLED_HEAD,
  WINDOW_HEAD,
} from './check.ts'
import { checkLayout, type Layout, type Rows } from './layout.ts'
import { ParsedFrames } from './parsed_frames.ts'
import { READERS, topicFrame, topicOf, versionError } from './version.ts'

/** Of one record in a message: rows of a narrower layout become wider when they are read. */
const MAX_ROWS = 2 ** 20

/** Losses with 256 reasons and 256 numbers of bytes stay below the first, 256 layouts below the second; ours take 2,000 and 15,000. */
const MAX_HEAD_BYTES = 65_536
const MAX_LAYOUTS_BYTES = 2 ** 20

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

/** Identifies a run. The host is a part of it: who may speak for one host cannot take over a run of another. */
export const runOf = ({ host, boot, probe }: Identity): string => `${boot} ${probe} ${host}`

/** What was lost so far, by stage and reason: `kernel/slot`, `queue/full`. */
export type Losses = Readonly<Record<string, number>>

export interface Head extends WindowKey {
  /** Counted from 0 over the run, one per message. */
  readonly sequence: number
  /** Start of the window, CLOCK_BOOTTIME nanoseconds. */
  readonly start_ns: string
  readonly lost: Losses
}

/** The first window that may not be in any collector's sinks. */
export interface SettledHead extends WindowKey {
  /** Of its first message. */
  readonly sequence: number
  /** The losses that the windows before it have reported. */
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
  /** Of the window, in all of its messages; older probes do not say it. */
  readonly rows?: number
}

export interface ContainerName {
  readonly runtime: string
  readonly name?: string
  readonly image?: string
  /** UID of its pod. */
  readonly pod?: string
  /** The pause container, which keeps a pod's namespaces alive and is not counted. */
  readonly sandbox?: boolean
  /** Those that the probe's settings name. */
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
  /** CLOCK_BOOTTIME nanoseconds: a later process with the same pid has another one. */
  readonly started_ns: string
  readonly comm: string
  /** What its owner calls it: the program or, of an interpreter, the script; older probes do not send it. */
  readonly name?: string
  /** Path of the program, from the root of its mount; `…/` before it when it is too deep. */
  readonly exe: string
  readonly parent: number
  readonly parent_comm: string
  /** User id on the host. */
  readonly uid: number
}

/** The names of what the rows of a message refer to. */
export interface Names {
  /** `hierarchy:cgroup` of a row → container id. A cgroup that is in no container is absent. */
  readonly cgroups: Readonly<Record<string, string>>
  /** `netns` of a row → id of a container that has no cgroup of its own; a row's cgroup goes first. */
  readonly netns?: Readonly<Record<string, string>>
  readonly containers: Readonly<Record<string, ContainerName>>
  readonly pods: Readonly<Record<string, PodName>>
}

/** The message that ends a window also has the containers that run, with flows or without. */
export interface WindowNames extends Names {
  readonly running: readonly string[]
  /** `pid` of the window's rows → what is known of it; of a bounded number. */
  readonly processes?: Readonly<Record<string, ProcessName>>
}

/** Rows of one record in a bundle. */
export interface Part {
  readonly layout: Layout
  /** Bytes. */
  length: number
}

/** Rows of several records. */
export interface Bundle {
  readonly parts: readonly Part[]
  /** Of all parts, in their order. */
  readonly rows: Buffer
}

const ROWS = 'rows'
export const WINDOW = 'window'
export const SETTLED = 'settled'

/** A message as it came in, checked. */
export type Message = {
  /** That the probe speaks, and that it is to be answered in. */
  readonly version: number
} & (
  | {
      readonly topic: typeof ROWS
      readonly head: Head
      readonly parts: readonly Rows[]
      readonly names: Names
    }
  | {
      readonly topic: typeof WINDOW
      readonly head: WindowHead
      readonly parts: readonly Rows[]
      readonly names: WindowNames
    }
  | { readonly topic: typeof SETTLED; readonly head: SettledHead }
)

const EMPTY = Buffer.alloc(0)
const jsonOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value))
/** Frames of objects that are sent with many messages. */
const frames = new WeakMap<object, Buffer>()

function cachedFrame(value: object): Buffer {
  let frame = frames.get(value)
  if (!frame) {
    frame = jsonOf(value)
    frames.set(value, frame)
  }
  return frame
}

/** Layouts and names are not changed once they were sent. */
export function encodeMessage(head: Head, bundle: Bundle, names: Names): Buffer[] {
  return [topicFrame(ROWS), ...framesOf(head, bundle), cachedFrame(names)]
}

export function encodeWindow(
  head: WindowHead,
  bundle: Bundle,
  { running, processes, ...names }: WindowNames,
): Buffer[] {
  return [topicFrame(WINDOW), ...framesOf(head, bundle), jsonOf(names), jsonOf({ running, processes })]
}

function framesOf(head: Head, { parts, rows }: Bundle): Buffer[] {
  const layouts = parts.map(({ layout }) => cachedFrame(layout).toString())
  return [jsonOf({ ...head, bytes: parts.map(({ length }) => length) }), Buffer.from(`[${layouts}]`), rows]
}

export const encodeSettled = (head: SettledHead): Buffer[] => [
  topicFrame(SETTLED),
  jsonOf(head),
  EMPTY,
  EMPTY,
  EMPTY,
]

/**
 * @param known parsed before
 * @param readers of the versions that are read
 * @throws {VersionError} for a message of another version
 * @throws {MalformedError}
 */
export function decode(
  given: readonly Buffer[],
  known = new ParsedFrames<Names>(),
  readers = READERS,
): Message {
  if (given.length === 0) throw new MalformedError('frames', '0 frames instead of 5')
  const { topic, version } = topicOf(given[0])
  const reader = readers.get(version)
  if (!reader) throw versionError(version, 'probe', 'collector', readers.keys())
  const frames = reader(given)
  const [, headFrame, layouts, rows, namesFrame, running] = frames
  if (!headFrame || !layouts || !rows || !namesFrame)
    throw new MalformedError('frames', `${frames.length} frames instead of 5`)
  if (topic !== ROWS && topic !== WINDOW && topic !== SETTLED)
    throw new MalformedError('topic', `the topic is none of ${ROWS}, ${WINDOW}, ${SETTLED}`)
  if (frames.length !== (topic === WINDOW ? 6 : 5))
    throw new MalformedError('frames', `${frames.length} frames of ${topic}`)
  const head = parse(headFrame, 'head', MAX_HEAD_BYTES)
  need(head, 'head', topic === WINDOW ? WINDOW_HEAD : topic === ROWS ? HEAD : SETTLED_HEAD)
  if (topic === SETTLED) return { version, topic, head: head as unknown as SettledHead }
  try {
    const names = known.names(runOf(head as unknown as Identity), namesFrame, parseNames)
    const parts = partsOf(known.layouts(layouts, parseLayouts), head['bytes'] as number[], rows)
    if (topic === ROWS) return { version, topic, head: head as unknown as Head, parts, names }
    return {
      version,
      topic,
      head: head as unknown as WindowHead,
      parts,
      names: { ...names, ...parseRunning(running!) },
    }
  } catch (error) {
    if (error instanceof MalformedError) error.head = head as unknown as Head
    throw error
  }
}

function partsOf(layouts: readonly Layout[], bytes: readonly number[], rows: Buffer): Rows[] {
  if (layouts.length !== bytes.length)
    throw new MalformedError('head_bytes', `${bytes.length} numbers of bytes for ${layouts.length} layouts`)
  let at = 0
  const parts = layouts.map((layout, index): Rows => {
    const count = bytes[index]! / layout.size
    if (!Number.isInteger(count))
      throw new MalformedError('rows', `${bytes[index]} bytes are no whole number of ${layout.name}`)
    if (count > MAX_ROWS) throw new MalformedError('rows', `${count} rows of ${layout.name} in one message`)
    const start = at
    at += bytes[index]!
    return { layout, bytes: rows.subarray(start, at) }
  })
  if (at !== rows.length) throw new MalformedError('rows', `${rows.length} bytes of rows instead of ${at}`)
  return parts
}

function parseLayouts(frame: Buffer): Layout[] {
  const layouts = parseJson(frame, 'layouts', MAX_LAYOUTS_BYTES)
  if (!Array.isArray(layouts) || layouts.length > MAX_PARTS)
    throw new MalformedError('layouts', `layouts are no list of at most ${MAX_PARTS}`)
  try {
    return layouts.map(checkLayout)
  } catch (error) {
    throw new MalformedError('layouts', (error as Error).message)
  }
}

function parseRunning(frame: Buffer): Pick<WindowNames, 'running' | 'processes'> {
  const json = parse(frame, 'running')
  need(json, 'names', RUNNING)
  const { running, processes } = json as unknown as WindowNames
  return { running, ...(processes && { processes }) }
}

function parseNames(frame: Buffer): Names {
  const names = parse(frame, 'names')
  need(names, 'names', NAMES)
  return names as unknown as Names
}
