/**
 * The version of the wire stands in the topic, `rows/2`, which is read first: a message of an unknown
 * version is not read any further.
 *
 * | version | what is new                                                     | to a program of the version before        |
 * |---------|-----------------------------------------------------------------|-------------------------------------------|
 * | 1       | `rows`, `window`, `settled` and `ack`, the schema in the head    |                                           |
 * | 2       | the version in the topic; heads have no schema; `refused`        | refused: version 1 knows no such topics   |
 *
 * Fields of a head, records and their columns are read by name, so new ones need no new version. The collector is
 * updated first: it is the one that reads an older version, where `READERS` has it, and answers in it.
 */

import { MalformedError } from './check.ts'

export const VERSION = 2

/** What these were in version 1, where nothing else stood in the frame. */
const FIRST_TOPICS = ['rows', 'window', 'settled', 'ack']
const LONGEST_TOPIC = 64

type Frames = readonly Buffer[]

/** Turns the frames of a message of some version into those of this version. */
export type Reader = (frames: Frames) => Frames

/**
 * The versions that a collector reads. The one before this one is among them from the first package on; until then it is
 * refused.
 */
export const READERS: ReadonlyMap<number, Reader> = new Map([[VERSION, (frames: Frames) => frames]])

/** The other program speaks a version that this one does not read. */
export class VersionError extends MalformedError {
  readonly version: number
  constructor(version: number, message: string) {
    super('version', message)
    this.version = version
  }
}

export const topicFrame = (topic: string, version = VERSION): Buffer =>
  Buffer.from(version === 1 ? topic : `${topic}/${version}`)

/** @throws {MalformedError} */
export function topicOf(frame: Buffer | undefined): { topic: string; version: number } {
  const text = frame && frame.length <= LONGEST_TOPIC ? frame.toString('utf8') : ''
  if (FIRST_TOPICS.includes(text)) return { topic: text, version: 1 }
  const [, topic, version] = /^([a-z_]+)\/([1-9]\d{0,8})$/.exec(text) ?? []
  if (topic === undefined || version === '1')
    throw new MalformedError('topic', 'the first frame is no topic with a version')
  return { topic, version: Number(version) }
}

/** Which program is to be updated: the one that speaks the older version. */
export function versionError(
  version: number,
  them: string,
  us: string,
  read: Iterable<number> = [VERSION],
): VersionError {
  const versions = [...read].sort((a, b) => a - b)
  const old = version < VERSION ? them : us
  return new VersionError(
    version,
    `the ${them} speaks version ${version} of the wire, this ${us} ${versions.length > 1 ? 'versions' : 'version'} ${versions.join(' and ')}: update the ${old}`,
  )
}
