import t from 'tap'
import { exitCodeOf, screenOf } from '../../../probe/doctor/report.ts'

const FINE = { name: 'btf', ok: true, found: 'there' }
const LESS = { name: 'docker', ok: 'warn', found: 'closed', remedy: 'open it' } as const
const NO = { name: 'privileges', ok: false, found: 'none', remedy: 'be root' }

t.test('scripts learn it from the exit code', async t => {
  t.equal(exitCodeOf([FINE]), 0)
  t.equal(exitCodeOf([FINE, NO, LESS]), 1)
  t.equal(exitCodeOf([FINE, LESS]), 2)
})

t.test('people read a line for each, and each remedy once', async t => {
  t.equal(
    screenOf([FINE, NO, LESS, { ...NO, name: 'flows' }]),
    `ok    btf         there
NO    privileges  none
                  → be root
less  docker      closed
                  → open it
NO    flows       none
the probe cannot run
`,
  )
})
