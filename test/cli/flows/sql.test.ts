import t from 'tap'
import { recordedSql } from '../../../cli/flows/sql.ts'
import { questionOf } from '../../../collector/flows/live.ts'
import { Stage } from '../../collector/flows/given.ts'
import { openStore, rows, temporary } from '../../harness/embedded.ts'

const flow = (more = {}) => ({
  ...{ socket: 7, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', opened_ns: 2e9, bytes_sent: 5 },
  ...{ local: '10.0.0.1', local_port: 40000, remote: '10.9.0.1', remote_port: 80 },
  ...{ isn_local: 1, isn_remote: 2 },
  ...more,
})
const update = (socket: number) => ({ socket, role: 1, state: 1, bytes_sent: 10 })
const closed = { state: 7, closed_ns: 3e9 }

/** Three conversations; two of them have a record after a minute, one before its other end is known; one goes on. */
function recorded() {
  const stage = new Stage()
  stage.rows('a', 0, 'tcp_flow', [flow(), flow({ socket: 8, isn_local: 3 })])
  stage.end('a', 0)
  for (let window = 1; window < 7; window++) {
    stage.rows('a', window, 'tcp_update', [update(7), update(8)])
    stage.end('a', window)
  }
  const server = { role: 2, pid: 5, comm: 'nginx', isn_local: 2, isn_remote: 1, ...closed }
  stage.rows('a', 7, 'tcp_flow', [
    flow(closed),
    flow({ ...server, socket: 9 }),
    flow({ ...closed, socket: 10, isn_local: 5 }),
  ])
  stage.end('a', 7)
  return stage
}

t.test('of each conversation the last record is asked, not one of before', async t => {
  const stage = recorded()
  const store = await openStore(t, await temporary(t), { now: () => 1e12 })
  for (const batch of stage.batches) await store.write(batch)
  t.match(
    stage.records.map(({ reason }) => reason),
    ['active', 'active', 'end', 'end'],
  )
  const found = async (query: string, times: { since?: number; until?: number } = {}) => {
    const { filter, limit } = questionOf(new URL(`http://x/flows?${query}`))
    const all = await rows(
      store,
      `select client_socket, reason from (${recordedSql({ filter, limit, ...times })})`,
    )
    return all.map(row => row.join(' ')).sort()
  }
  t.same(await found(''), ['10 end', '7 end', '8 active'].map(hexadecimal).sort())
  t.same(await found('state=open'), ['8 active'])
  t.same(await found('state=ESTABLISHED'), ['8 active'])
  t.same(await found('state=close'), ['10 end', '7 end'].map(hexadecimal).sort())
  t.same(await found('peer=unknown'), ['10 end', '8 active'].map(hexadecimal).sort())
  t.same(await found('process=curl&with=process/nginx'), ['7 end'])
  const minute = { until: 1e9 + 65 }
  t.same(await found('state=open', minute), ['7 active', '8 active'], 'as it was known then')
  t.same((await found('limit=1&state=close', { since: 1e9 + 66 })).length, 1)
  t.same(await found('', { since: 1e9 + 100 }), [])
})

const hexadecimal = (text: string) => text.replace(/^\d+/, digits => Number(digits).toString(16))
