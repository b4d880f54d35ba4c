/**
 * Records `ntopng.2.messages`, named by the version of the wire: three windows of two probes, one of them of version 0.1, from fixed rows. The lines that
 * `profile: ntopng` made of them are in `ntopng.lines`; they were written by version 0.1 and never change. Files of other
 * versions of the wire are as they were.
 *
 *     node test/golden/ntopng.ts
 */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Field, Layout } from '../../wire/layout.ts'
import { encodeMessage, encodeWindow, type Head, type WindowNames } from '../../wire/message.ts'
import { VERSION } from '../../wire/version.ts'
import { bundleOf } from '../harness/bundle.ts'
import { encodeRows, type Flow } from '../harness/rows.ts'

const OLD =
  'socket:8 cgroup:8 opened_ns:8 closed_ns:8 reported_ns:8 bytes_sent:8 bytes_rcvd:8 local:16 remote:16 comm:16 hierarchy:4 pid:4 netns:4 rtt_us:4 rtt_var_us:4 segs_sent:4 segs_rcvd:4 segs_resent:4 local_port:2 remote_port:2 family:1 role:1 state:1 flags:1'
const NEW =
  'socket:8 cgroup:8 opened_ns:8 established_ns:8 closed_ns:8 reported_ns:8 bytes_sent:8 bytes_rcvd:8 rtt_sum_us:8 local:16 remote:16 comm:16 hierarchy:4 pid:4 netns:4 rtt_us:4 rtt_var_us:4 rtt_samples:4 rtt_min_us:4 rtt_max_us:4 segs_sent:4 segs_rcvd:4 segs_resent:4 local_port:2 remote_port:2 family:1 role:1 state:1 flags:1 pad:4'

function layoutOf(text: string): Layout {
  let offset = 0
  const fields = text.split(' ').map((word): Field => {
    const [name, digits] = word.split(':')
    const size = Number(digits)
    const field = { name: name!, offset, size, type: size > 8 ? 'bytes' : (`u${size * 8}` as Field['type']) }
    offset += size
    return field
  })
  return { name: 'tcp_flow', size: offset, fields }
}

const ID = (digit: string) => digit.repeat(64)
const names = (window: number): WindowNames => ({
  cgroups: { '1:10': ID('a'), '1:11': ID('b'), '1:12': 'pause', '0:10': 'k8s.io/tool', '1:13': ID('d') },
  netns: { '7': ID('e') },
  containers: {
    [ID('a')]: { runtime: 'cri', name: 'main', pod: 'u1', labels: { team: 'x' } },
    [ID('b')]: { runtime: 'cri', name: 'side, car', pod: 'u1' },
    pause: { runtime: 'cri', pod: 'u1', sandbox: true },
    'k8s.io/tool': { runtime: 'ctr' },
    [ID('d')]: { runtime: 'cri', name: 'db', pod: 'u2' },
    [ID('e')]: { runtime: 'podman', name: 'rootless' },
    [ID('f')]: window === 0 ? { runtime: 'docker', pending: true } : { runtime: 'docker', name: 'idle' },
  },
  pods: {
    u1: { name: 'web-0', namespace: 'shop' },
    u2: { name: 'web-0', namespace: 'test env', labels: { app: 'db' } },
  },
  running: [ID('a'), ID('b'), 'pause', ID('d'), ID('e'), ID('f')],
})

/** The same numbers each time: a linear congruential generator (Numerical Recipes, 7.1). */
let state = 1
const next = (below: number): number => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const flow = (): Flow => ({
  socket: next(2 ** 31),
  cgroup: 9 + next(6),
  hierarchy: next(4) === 0 ? 0 : 1,
  netns: 6 + next(3),
  pid: 100 + next(5),
  role: next(3),
  flags: next(8),
  opened_ns: next(2 ** 31),
  reported_ns: next(2) * next(2 ** 31),
  closed_ns: next(2) * next(2 ** 31),
  rtt_us: next(4) * next(200_000),
  rtt_var_us: next(50_000),
  segs_sent: next(2) * next(1000),
  segs_rcvd: next(2) * next(1000),
  bytes_sent: next(2 ** 31),
  bytes_rcvd: next(2 ** 31),
})

export function messages(): Buffer[][] {
  const frames: Buffer[][] = []
  for (const [host, text] of [
    ['node-1', OLD],
    ['node 2', NEW],
  ] as const) {
    const layout = layoutOf(text)
    let sequence = 0
    const head = (window: number): Head => ({
      ...{ host, boot: `boot of ${host}`, probe: 'run', window, sequence: sequence++ },
      ...{ start_ns: String(window * 1e10), lost: {} },
    })
    for (let window = 0; window < 3; window++) {
      for (let message = 0; message < 2; message++) {
        const rows = encodeRows(layout, Array.from({ length: 40 }, flow))
        frames.push(encodeMessage(head(window), bundleOf({ layout, bytes: rows }), names(window)))
      }
      const end = {
        ...{ end_ns: String((window + 1) * 1e10), time: 1_767_323_040 + window * 10, interval: 10 },
        ...{ clock_offset_ns: '0', partial: false },
      }
      frames.push(encodeWindow(Object.assign(head(window), end), bundleOf(), names(window)))
    }
  }
  return frames
}

if (import.meta.main) {
  const lines = messages().map(frames => frames.map(frame => frame.toString('base64')).join(' '))
  writeFileSync(join(import.meta.dirname, `ntopng.${VERSION}.messages`), `${lines.join('\n')}\n`)
}
