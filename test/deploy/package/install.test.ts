/** The package on Debian 12: installed, killed, updated under load, taken back and purged. */

import t from 'tap'
import { needs } from '../../harness/skip.ts'
import { lifeOf } from './life.ts'

const skip = needs('root', 'bpf', 'netns', 'nspawn', 'debian', 'influxd')
/** 45 s on a machine that does nothing else. */
const timeout = 600_000
t.setTimeout(timeout)

t.test('a life on Debian bookworm', { skip, timeout }, t => lifeOf(t, 'bookworm'))
