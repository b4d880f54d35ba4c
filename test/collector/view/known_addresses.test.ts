import t from 'tap'
import { WORD } from '../../../collector/flows/table/columns.ts'
import { KnownAddresses } from '../../../collector/view/known_addresses.ts'
import { Stage } from '../flows/given.ts'

const client = (more = {}) => ({
  ...{ socket: 7, role: 1, state: 1, family: 2, pid: 6, comm: 'curl', netns: 40, opened_ns: 2e9 },
  ...{ local: '10.0.0.1', local_port: 40000, remote: '10.9.0.1', remote_port: 80 },
  ...{ isn_local: 1, isn_remote: 2 },
  ...more,
})
const server = {
  ...{ role: 2, socket: 8, isn_local: 2, isn_remote: 1, netns: 50, cgroup: 1, hierarchy: 1, pid: 5 },
  ...{ local: '10.1.0.1', local_port: 8080, remote: '10.0.0.1', remote_port: 40000 },
}
const waiting = (more = {}) => client({ socket: 9, state: 2, isn_local: 0, isn_remote: 0, ...more })

/** Who is known to be at the address that the flow of socket 9 asks for. */
function known(stage: Stage): string | undefined {
  const { store } = stage.flows
  const found: number[] = []
  for (let flow = 1; flow < store.table.used; flow++)
    if (store.table.word(flow, WORD.SOCKET) === 9) found.push(flow)
  return new KnownAddresses(store, found).at(found[0]!)
}

t.test('who answered at an address is known in that namespace of that machine, and in no other', async t => {
  const given = (host: string, more = {}) => {
    const stage = new Stage()
    stage.rows('a', 0, 'tcp_flow', [client(), client(server)])
    stage.rows(host, 0, 'tcp_flow', [waiting(more)])
    return stage
  }
  t.equal(known(given('a')), 'web-0')
  t.equal(known(given('a', { netns: 41 })), undefined)
  t.equal(known(given('b')), undefined, 'a namespace of another machine with the same number')
})
