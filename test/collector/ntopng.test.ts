import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Ingest } from '../../collector/ingest/ingest.ts'
import { Hold } from '../../collector/sample/hold.ts'
import { messages } from '../golden/ntopng.ts'
import { linesOf } from '../harness/samples.ts'
import { samplerOf } from './given.ts'

const golden = (name: string) => readFileSync(join(import.meta.dirname, '../golden', name), 'utf8')
const recorded = golden('ntopng.messages')
  .trim()
  .split('\n')
  .map(line => line.split(' ').map(frame => Buffer.from(frame, 'base64')))

t.test('profile ntopng: the same messages give the same lines as ever, in whatever order', async t => {
  const lines: string[] = []
  const hold = new Hold(samplerOf('ntopng'), (batch, settled) => {
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
