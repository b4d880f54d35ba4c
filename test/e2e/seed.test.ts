import t from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { startInflux } from '../harness/influx.ts'
import { startNode } from '../harness/node.ts'
import { IDLE } from '../harness/pod.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow } from '../harness/windows.ts'
import { client, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc', 'containerd', 'influxd', 'influx')
const COLUMNS = ['time', 'as_client', 'as_server', 'container', 'ifid']
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/**
 * A session of the interactive `influx`, which speaks to a terminal only: script(1) is one. Without echo, what comes out
 * is the banner and then the answers, each after a prompt.
 */
async function session(url: string, commands: readonly string[]): Promise<string[][]> {
  const { hostname, port } = new URL(url)
  const influx = `influx -precision rfc3339 -host ${hostname} -port ${port}`
  const terminal = `TERM=dumb script --quiet --echo never --command '${influx}' /dev/null`
  const typed = [...commands, 'exit', ''].join('\n')
  const out = await run(['sh', '-c', `printf %s "$1" | ${terminal}`, 'sh', typed])
  const answers = out.replaceAll('\r', '').split(/^> /m)
  return answers.map(answer => answer.split('\n').filter(line => line !== ''))
}

/** What a table of `influx` says: its title, the names of its columns, and its rows. */
function tableOf([title, header = '', , ...rows]: readonly string[]) {
  const words = (line: string) => line.trim().split(/\s+/)
  return { title, columns: words(header), rows: rows.map(words) }
}

t.test('the session of ntopng users works word by word', { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const node = await startNode()
  t.teardown(() => node.close())
  const names = ['one', 'two', 'three'] as const
  const pod = await node.runPod({
    name: 'heapster-0',
    namespace: 'kube-system',
    containers: names.map(name => ({ name, command: IDLE })),
  })
  const { one, two, three } = pod.containers
  const site = await openSite()
  t.teardown(() => site.close())
  const listen = ['--listen', `${site.endpoint},ifid=6`]
  await site.collector([...listen, '--profile', 'ntopng', '--influx-url', influx.url])
  await site.probe(['--containerd-state', node.containerd.stateDir])
  await serve(node, two, '127.0.0.1', '80')
  const load = client(node, one)
  t.match(await load.ask('open 4 127.0.0.1 80'), { opened: 4 })
  const of = (measurement: string) =>
    influx.query(`select * from "${measurement}" where "container" = '${shortId(one.id)}'`, 'ntopng')
  await until('four windows with traffic in InfluxDB', async () => {
    await earlyInWindow()
    await load.ask('echo 1 10')
    return (await of('container:rtt').catch(() => [])).length >= 4
  })

  const [banner, use, measurements, latest, filtered] = await session(influx.url, [
    'use ntopng',
    'show measurements with measurement =~ /^container*/',
    'select * from "container:num_flows" order by time desc limit 10',
    `select * from "container:num_flows" where "container" = '${shortId(one.id)}' order by time desc limit 10`,
  ])
  t.match(banner, [/^Connected to http:\/\/\S+ version 1\./, /^InfluxDB shell version: 1\./])
  t.same(use, ['Using database ntopng'])
  t.same(measurements, [
    'name: measurements',
    'name',
    '----',
    'container:num_flows',
    'container:rtt',
    'container:rtt_variance',
  ])
  const ten = tableOf(latest!)
  t.match(ten, { title: 'name: container:num_flows', columns: COLUMNS })
  t.equal(ten.rows.length, 10, 'ten rows')
  const times = ten.rows.map(([time]) => time!)
  t.same(times, times.toSorted().reverse(), 'the latest first')
  t.ok(
    ten.rows.every(
      ([time, asClient, asServer, container, ifid]) =>
        TIME.test(time!) &&
        /^\d+$/.test(asClient! + asServer!) &&
        /^[0-9a-f]{12}$/.test(container!) &&
        ifid === '6',
    ),
    'time, numbers, id of twelve digits, and the ifid of the endpoint',
  )
  t.ok(
    ten.rows.some(row => row[3] === shortId(three.id) && row[1] === '0' && row[2] === '0'),
    'an idle container is there',
  )
  const own = tableOf(filtered!)
  t.match(own, { title: 'name: container:num_flows', columns: COLUMNS })
  t.ok(own.rows.length >= 4)
  t.ok(
    own.rows.every(row => row[3] === shortId(one.id)),
    "the filter by the container's tag gives its rows only",
  )
  t.same(own.rows[0]!.slice(1), ['4', '0', shortId(one.id), '6'])

  const kept = async (show: string, column: string) =>
    (await influx.query(show, 'ntopng')).map(row => row[column] as string)
  t.same(
    await kept('show measurements', 'name'),
    [
      'container:num_flows',
      'container:rtt',
      'container:rtt_variance',
      'pod:num_containers',
      'pod:num_flows',
      'pod:rtt',
      'pod:rtt_variance',
    ],
    "ntopng's measurements and no others",
  )
  t.same(
    new Set(await kept('show tag keys', 'tagKey')),
    new Set(['container', 'pod', 'ifid']),
    'its tags and no others',
  )
  t.same(new Set(await kept('show field keys', 'fieldType')), new Set(['float']), 'and floats, as it writes')
})
