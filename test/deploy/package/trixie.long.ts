/** The same on Debian 13. */

import t from 'tap'
import { needs } from '../../harness/skip.ts'
import { lifeOf } from './life.ts'

const skip = needs('root', 'bpf', 'netns', 'nspawn', 'debian', 'influxd')

t.test('a life on Debian trixie', { skip }, t => lifeOf(t, 'trixie'))
