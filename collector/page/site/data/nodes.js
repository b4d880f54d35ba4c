/** Pairs of nodes, added up by node. */

/** What the collector calls all that is on no node. */
const OUTSIDE = '(outside)'

/** A row for each node: bytes per second by where they go, and to which one. A Service is on none. */
export function sums(nodes, edges) {
  const rows = nodes.map(node => ({
    ...{ node, within: 0, to_nodes: 0, from_nodes: 0, to_outside: 0, from_outside: 0, all: 0 },
    sent: new Map(),
  }))
  const add = (from, to, value) => {
    const [sender, receiver] = [rows[from], rows[to]]
    sender.sent.set(receiver.node.name, (sender.sent.get(receiver.node.name) ?? 0) + value)
    sender.all += value
    if (from === to) sender.within += value
    else {
      receiver.all += value
      sender[receiver.node.name === OUTSIDE ? 'to_outside' : 'to_nodes'] += value
      receiver[sender.node.name === OUTSIDE ? 'from_outside' : 'from_nodes'] += value
    }
  }
  for (const { client, server, sentPerSecond, rcvdPerSecond } of edges) {
    add(client, server, sentPerSecond)
    add(server, client, rcvdPerSecond)
  }
  const ends = new Set(edges.flatMap(({ client, server }) => [client, server]))
  return rows.filter((_, at) => ends.has(at))
}
