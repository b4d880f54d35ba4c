/** Checks of what comes from the network. */

import { jsonFault } from './json_bounds.ts'

/** Why a frame is no message: `reason` is one word for the counter. */
export class MalformedError extends Error {
  override name = 'MalformedError'
  readonly reason: string
  /** Of a message whose head is right and whose content is not: the message has come. */
  head?: {
    readonly host: string
    readonly boot: string
    readonly probe: string
    readonly window: number
    readonly sequence: number
  }
  constructor(reason: string, message: string) {
    super(message)
    this.reason = reason
  }
}

export type Json = Record<string, unknown>

/**
 * @param maxBytes of this frame, when it is one that stays small
 * @throws {MalformedError}
 */
export function parseJson(frame: Buffer, name: string, maxBytes?: number): unknown {
  const fault = jsonFault(frame, maxBytes)
  if (fault !== undefined) throw new MalformedError(`${name}_size`, `${name} ${fault}`)
  try {
    return JSON.parse(frame.toString('utf8'))
  } catch {
    throw new MalformedError(`${name}_json`, `${name} is not JSON`)
  }
}

/** @throws {MalformedError} */
export function parse(frame: Buffer, name: string, maxBytes?: number): Json {
  const value = parseJson(frame, name, maxBytes)
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new MalformedError(`${name}_json`, `${name} is not a JSON object`)
  return value as Json
}

/** Of anything that has a name; InfluxDB takes tags up to 64 KB, people no more than this. */
export const MAX_NAME_CHARACTERS = 512
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_CHARACTERS
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isNanoseconds = (value: unknown): value is string =>
  typeof value === 'string' && /^-?\d{1,20}$/.test(value)

/** @throws {MalformedError} */
export function need(
  json: Json,
  frame: string,
  fields: Readonly<Record<string, (value: unknown) => boolean>>,
): void {
  for (const [name, ok] of Object.entries(fields))
    if (!ok(json[name])) throw new MalformedError(`${frame}_${name}`, `${frame}.${name} is missing or wrong`)
}

export const KEY = { host: isName, boot: isName, probe: isName, window: isCount }

const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isRecordOf = (ok: (value: unknown) => boolean) => (value: unknown) =>
  isRecord(value) &&
  Object.entries(value).every(([name, value]) => name.length <= MAX_NAME_CHARACTERS && ok(value))
const isOptional = (ok: (value: unknown) => boolean) => (value: unknown) => value === undefined || ok(value)
const isText = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_NAME_CHARACTERS
const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean'

/** Kept for as long as the probe lives: bounded. */
const isLosses = (value: unknown): boolean =>
  isRecordOf(isCount)(value) &&
  Object.keys(value as Json).length <= 256 &&
  Object.keys(value as Json).every(reason => reason.length <= 64)
/** Seconds: until the end of the year 9999, where dates end. */
const isTime = (value: unknown): boolean => isCount(value) && value <= 253_402_300_799
/** Seconds: the longest interval that a probe can be given. The collector remembers a silent probe for three of them. */
export const MAX_INTERVAL_S = 3600
const isInterval = (value: unknown): boolean => isCount(value) && value >= 1 && value <= MAX_INTERVAL_S

/** Records in one message. */
export const MAX_PARTS = 256
const isCounts = (value: unknown): boolean =>
  Array.isArray(value) && value.length <= MAX_PARTS && value.every(isCount)

const ANY_HEAD = { ...KEY, sequence: isCount, lost: isLosses }
export const HEAD = { ...ANY_HEAD, start_ns: isNanoseconds, bytes: isCounts }
export const SETTLED_HEAD = { ...ANY_HEAD, elsewhere: isBoolean }
export const WINDOW_HEAD = {
  ...HEAD,
  end_ns: isNanoseconds,
  time: isTime,
  interval: isInterval,
  clock_offset_ns: isNanoseconds,
  partial: isBoolean,
  rows: isOptional(isCount),
}
/** Only those that the probe's settings name are sent. */
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
  isOptional(isText)(value['name']) &&
  [value['parent'], value['uid']].every(isCount)
export const NAMES = {
  cgroups: isRecordOf(isName),
  netns: isOptional(isRecordOf(isName)),
  containers: isRecordOf(isContainer),
  pods: isRecordOf(isPod),
}
const isNames = (value: unknown): boolean => Array.isArray(value) && value.every(isName)
export const RUNNING = { running: isNames, processes: isOptional(isRecordOf(isProcess)) }
