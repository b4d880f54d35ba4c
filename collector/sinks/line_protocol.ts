import { escape as escaped } from '@influxdata/influxdb-client'
import type { Batch, Measurement, Sample, Tags } from '../sample.ts'

/**
 * InfluxDB line protocol: `measurement,tag=value field=1.5 1767225600`, with timestamps in seconds.
 * Source: docs.influxdata.com, "Line protocol reference"; 1.x, 2.x and 3.x read the same text.
 */

interface Names {
  readonly measurement: string
  readonly fields: readonly string[]
}

/**
 * Text of the tags, which all samples of one container share. On the object itself: the garbage collector takes as long
 * for a large WeakMap as for everything else.
 */
const TEXT = Symbol('line protocol')
type Known = Tags & { readonly [TEXT]?: string }
// all samples of one metric share their Measurement
const namesCache = new WeakMap<Measurement, Names>()

export function encode(batch: Batch): string[] {
  const lines: string[] = []
  for (const sample of batch.samples) {
    const fields = fieldsOf(sample)
    if (fields)
      lines.push(`${namesOf(sample.measurement).measurement}${tagsOf(sample.tags)} ${fields} ${batch.time}`)
  }
  return lines
}

/** `as_client=3,as_server=0`: no suffix, so every field is a float, as in the databases that ntopng wrote. */
function fieldsOf(sample: Sample): string {
  const { fields } = namesOf(sample.measurement)
  let text = ''
  for (const [index, field] of fields.entries()) {
    const value = sample.values[index]
    if (value === undefined || !Number.isFinite(value)) continue
    text += `${text && ','}${field}=${value}`
  }
  return text
}

function namesOf(measurement: Measurement): Names {
  let names = namesCache.get(measurement)
  if (!names) {
    names = {
      measurement: escaped.measurement(measurement.name),
      fields: measurement.fields.map(escaped.tag),
    }
    namesCache.set(measurement, names)
  }
  return names
}

/** `,container=0123,host=a`, sorted as the servers sort; an empty tag is the same as none, and refused by some. */
function tagsOf(tags: Known): string {
  let text = tags[TEXT]
  if (text === undefined) {
    text = Object.keys(tags)
      .sort()
      .map(name => [escaped.tag(name), tagValue(tags[name] ?? '')])
      .filter(([, value]) => value)
      .map(([name, value]) => `,${name}=${value}`)
      .join('')
    Object.defineProperty(tags, TEXT, { value: text }) // not enumerable: tags are made of others by spreading them
  }
  return text
}

/** The protocol cannot say a backslash at the end of a value: it would escape the comma or space after it. */
function tagValue(value: string): string {
  return escaped.tag(value.replace(/\\+$/, ''))
}
