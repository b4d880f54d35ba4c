import t from 'tap'

interface Row {
  readonly node: { readonly name: string }
  readonly sent: ReadonlyMap<string, number>
  readonly [sum: string]: unknown
}
const NODES: string = '../../../collector/page/site/data/nodes.js'
const { sums } = (await import(NODES)) as {
  sums: (nodes: readonly object[], edges: readonly object[]) => Row[]
}
const [A, B, SERVICE, OUTSIDE] = [0, 1, 2, 3]
const nodes = ['a', 'b', 'shop/web:http', '(outside)'].map(name => ({ name }))
const edge = (
  client: number,
  server: number,
  sentPerSecond: number,
  rcvdPerSecond: number,
  via?: number,
) => ({
  ...{ client, server, sentPerSecond, rcvdPerSecond },
  ...(via !== undefined && { via }),
})

t.test('bytes per second of each node, by where they go', async t => {
  const rows = sums(nodes, [edge(A, B, 10, 2), edge(A, A, 0.7, 0.3), edge(B, OUTSIDE, 5, 50)])
  const of = (name: string) => rows.find(({ node }) => node.name === name)
  t.match(of('a'), { within: 1, to_nodes: 10, from_nodes: 2, to_outside: 0, from_outside: 0, all: 13 })
  t.match(of('b'), { within: 0, to_nodes: 2, from_nodes: 10, to_outside: 5, from_outside: 50, all: 67 })
  t.match(of('(outside)'), { all: 55 })
  t.same(
    [...of('a')!.sent],
    [
      ['b', 10],
      ['a', 1],
    ],
  )
})

t.test('what goes through a Service is between nodes, and the Service is on none', async t => {
  const rows = sums(nodes, [edge(A, B, 100, 0, SERVICE), edge(A, B, 10, 0)])
  t.same(
    rows.map(({ node, to_nodes }) => [node.name, to_nodes]),
    [
      ['a', 110],
      ['b', 0],
    ],
  )
  t.same([...rows[0]!.sent], [['b', 110]])
})
