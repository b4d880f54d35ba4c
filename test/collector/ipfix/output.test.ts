import t from 'tap'
import { Output, type RecordFormat } from '../../../collector/ipfix/output.ts'
import { RECORD } from './given.ts'

const many = Object.fromEntries(
  Array.from({ length: 2000 }, (_, at) => [`label-${at}`, 'a value of a label, which is not short']),
)
const { client, server } = RECORD

for (const format of ['ipfix', 'json'] as const satisfies RecordFormat[])
  for (const [what, record] of [
    ['the client', { ...RECORD, client: { ...client, labels: many } }],
    ['the server', { ...RECORD, server: { ...server, labels: many } }],
    ['both', { ...RECORD, client: { ...client, labels: many }, server: { ...server, labels: many } }],
  ] as const)
    t.test(`labels of ${what} that fit into no message as ${format} do not take the record away`, async t => {
      const sent: Buffer[] = []
      const options = { profile: 'aggregate', times: 's', format, domain: 1, maxRecord: 65_000 } as const
      const output = new Output(options, ({ bytes }) => void sent.push(bytes))
      output.emit(record)
      output.emit(RECORD)
      output.emit({ ...RECORD, client: { ...client, pod: 'p'.repeat(66_000) } })
      t.equal(sent.length, 2)
      t.match(String(sent[0]), client.pod)
      t.notMatch(String(sent[0]), 'label-')
      t.match(String(sent[1]), '{"app":"client"}'.replaceAll('"', format === 'json' ? '\\"' : '"'))
      t.equal(output.tooLong, 1)
    })
