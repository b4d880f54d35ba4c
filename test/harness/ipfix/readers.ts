/** Other programs' readers of IPFIX: what they find in messages. */

import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ELEMENTS, type ElementName, type ElementType } from '../../../collector/ipfix/format/elements.ts'
import { messagesOf } from './collectors.ts'

/** RFC 7012, 3.1. */
const TYPES: Readonly<Record<ElementType, string>> = {
  ...{
    u8: 'unsigned8',
    u16: 'unsigned16',
    u32: 'unsigned32',
    u64: 'unsigned64',
    string: 'string',
    uuid: 'octetArray',
  },
  ...{ ipv4: 'ipv4Address', ipv6: 'ipv6Address' },
  ...{ seconds: 'dateTimeSeconds', milliseconds: 'dateTimeMilliseconds' },
}
const OWN = Object.entries(ELEMENTS).filter(
  ([, { id, enterprise }]) => enterprise === 56506 || (enterprise === 0 && id >= 403),
)

export type Found = Readonly<Partial<Record<ElementName, string | number>>>

/** By python3-ipfix; times in milliseconds. @param directory for its files */
export function readByPython(messages: Buffer, directory: string): Found[] {
  const file = join(directory, 'messages.ipfix')
  // of a stream that goes on the last message may have come in part
  writeFileSync(file, Buffer.concat(messagesOf(messages).map(({ bytes }) => bytes)))
  const own = OWN.map(([name, { enterprise, id, type }]) => [name, enterprise, id, TYPES[type]])
  const script = join(import.meta.dirname, 'read.py')
  const lines = execFileSync('/usr/bin/python3', [script, file, JSON.stringify(own)], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })
  return lines
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Found)
}

/** Our elements as `ipfixDump -e` takes them: the form of IANA's registry, with the enterprise of each. */
function registry(): string {
  const records = OWN.map(
    ([name, { id, enterprise, type }]) =>
      `<record><cert:enterpriseId>${enterprise}</cert:enterpriseId><name>${name}</name><dataType>${TYPES[type]}</dataType><elementId>${id}</elementId></record>`,
  )
  return `<?xml version="1.0"?>
<registry xmlns="http://www.iana.org/assignments" xmlns:cert="http://www.cert.org/ipfix" id="ipfix">
<registry id="ipfix-information-elements">${records.join('\n')}</registry></registry>`
}

/** By libfixbuf's ipfixDump: the text, with everything that it has to say. */
export function dump(messages: Buffer, directory: string): string {
  const [file, names] = [join(directory, 'messages.ipfix'), join(directory, 'registry.xml')]
  writeFileSync(file, messages)
  writeFileSync(names, registry())
  return execFileSync(
    '/bin/sh',
    ['-c', 'exec ipfixDump --in "$1" -e "$2" --hexdump 16 2>&1', 'sh', file, names],
    {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    },
  )
}

/** The values of each record in what `dump` gives. */
export function dumped(text: string): Record<string, string>[] {
  return text
    .split(/^--- data record \d+ ---$/m)
    .slice(1)
    .map(part =>
      Object.fromEntries(
        [...part.matchAll(/^\t\([\d/]+\) *(\w+) : (?:\(len: \d+\) )?(.*)$/gm)].map(([, name, value]) => [
          name!,
          // sixteen octets as --hexdump writes them
          value!.replace(/^0x(?=[\da-f]{32}$)/, ''),
        ]),
      ),
    )
}
