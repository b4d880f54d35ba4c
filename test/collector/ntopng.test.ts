import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Ingest } from '../../collector/ingest/ingest.ts'
import { PendingNames } from '../../collector/sample/pending_names.ts'
import { decode } from '../../wire/message.ts'
import { READERS, type Reader, topicFrame, VERSION } from '../../wire/version.ts'
import { messages } from '../golden/ntopng.ts'
import { linesOf } from '../harness/samples.ts'
import { samplerOf } from './given.ts'

const golden = (name: string) => readFileSync(join(import.meta.dirname, '../golden', name), 'utf8')
const recordedIn = (version: number) =>
  golden(`ntopng.${version}.messages`)
    .trim()
    .split('\n')
    .map(line => line.split(' ').map(frame => Buffer.from(frame, 'base64')))
const recorded = recordedIn(VERSION)

t.test('profile ntopng: the recorded messages give the golden lines, in any order', async t => {
  const lines: string[] = []
  const hold = new PendingNames(samplerOf('ntopng'), (batch, settled) => {
    lines.push(...linesOf(batch))
    settled()
  })
  const ingest = new Ingest()
  for (const frames of recorded)
    for (const window of ingest.receive(frames).folded) hold.write(window, '6', () => {})
  hold.flush(0)
  t.same(ingest.lost, {})
  t.same(lines.toSorted(), golden('ntopng.lines').trim().split('\n').toSorted())
})

t.test('the recorded messages are those of the script', async t => {
  t.same(messages(), recorded)
})

t.test('the same messages in version 1 of the wire are refused; the error names both versions', async t => {
  const ingest = new Ingest()
  const old = recordedIn(1)
  for (const frames of old)
    t.throws(() => ingest.receive(frames), {
      reason: 'version',
      message: 'the probe speaks version 1 of the wire, this collector version 2: update the probe',
    })
  t.same(ingest.lost, { malformed_version: old.length })
})

t.test('a version with a reader is read as this one', async t => {
  // what the topic says moved there from the head
  const first: Reader = ([topic, ...frames]) => [topicFrame(String(topic)), ...frames]
  const readers = new Map([...READERS, [1, first]])
  const now = recorded.map(frames => decode(frames))
  for (const [index, frames] of recordedIn(1).entries()) {
    const { version, ...message } = decode(frames, undefined, readers)
    t.equal(version, 1)
    t.match(message, { ...now[index], version: undefined })
  }
})
