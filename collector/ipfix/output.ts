/** From a record to what is sent. */

import type { ElementName } from './format/elements.ts'
import { encoderOf, type RecordEncoder, type Value } from './format/encode.ts'
import type { Identifiers } from './format/identifiers.ts'
import { jsonOf } from './format/json.ts'
import { domainOf } from './format/message.ts'
import { type Family, type Profile, type Template, type TimeUnit, templateOf } from './format/templates.ts'
import type { IpfixRecord } from './record/record.ts'
import { VALUES } from './record/values.ts'
import type { Encoded } from './send/waiting.ts'

export type RecordFormat = 'ipfix' | 'json'

export type Fixed = Readonly<Partial<Record<ElementName, Value>>>

export interface OutputOptions {
  readonly profile: Profile
  readonly times: TimeUnit
  readonly identifiers?: Identifiers | undefined
  readonly format: RecordFormat
  /** The domain of all records; without one each node has its own. */
  readonly domain?: number | undefined
  /** What these elements have in all records. */
  readonly fixed?: Fixed | undefined
  /** Bytes that one record may have. */
  readonly maxRecord: number
}

export class Output {
  /** Records that are longer than any message. */
  tooLong = 0
  readonly templates: Readonly<Record<Family, Template>>
  readonly #options: OutputOptions
  readonly #encoders: Readonly<Record<Family, RecordEncoder>>
  readonly #add: (entry: Encoded) => void

  constructor(options: OutputOptions, add: (entry: Encoded) => void) {
    const { profile, times, identifiers } = options
    const template = (family: Family) => templateOf(profile, family, times, identifiers)
    this.templates = { 4: template(4), 6: template(6) }
    this.#encoders = { 4: encoderOf(this.templates[4]), 6: encoderOf(this.templates[6]) }
    this.#options = options
    this.#add = add
  }

  emit(record: IpfixRecord): void {
    const { domain = domainOf(record.node), maxRecord } = this.#options
    const template = this.templates[record.family]
    let bytes = this.#encoded(record, template)
    // users choose the labels of their pods: a record too long for them is sent without
    if (bytes.length > maxRecord) bytes = this.#encoded(withoutLabels(record), template)
    if (bytes.length > maxRecord) this.tooLong++
    else this.#add({ bytes, domain, template })
  }

  #encoded(record: IpfixRecord, template: Template): Buffer {
    const { format, fixed = {} } = this.#options
    const read = (name: ElementName): Value => fixed[name] ?? VALUES[name](record)
    return format === 'json'
      ? Buffer.from(jsonOf(template, read, Date.now(), record.isIncomplete))
      : this.#encoders[record.family](read)
  }
}

function withoutLabels({
  client: { labels: _, ...client },
  server: { labels: __, ...server },
  ...rest
}: IpfixRecord): IpfixRecord {
  return { ...rest, client, server }
}
