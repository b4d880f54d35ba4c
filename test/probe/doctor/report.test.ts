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

t.test('each check has a line when everything is asked for, and each remedy is said once', async t => {
  t.equal(
    screenOf([FINE, NO, LESS, { ...NO, name: 'flows' }], { verbose: true }),
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

t.test('one cause is one line, and what is fine is a line for each area', async t => {
  const programs = Array.from({ length: 18 }, (_, index) => ({
    ...NO,
    name: `program${index}`,
    area: 'programs',
  }))
  const fine = [
    { ...FINE, name: 'kernel', area: 'kernel', found: 'Linux 6.18' },
    { ...FINE, area: 'kernel' },
  ]
  t.equal(
    screenOf([...fine, { ...NO, area: 'privileges' }, ...programs, LESS]),
    `ok    kernel      Linux 6.18, btf
NO    privileges  none; for the same reason program0, program1, program2 and 15 more
                  → be root
less  docker      closed
                  → open it
the probe cannot run (--verbose shows each check)
`,
  )
  const good = programs.map(({ name, area }) => ({ name, area, ok: true, found: 'flows' }))
  t.equal(screenOf(good), 'ok    programs  18 of them, all fine\nall is well (--verbose shows each check)\n')
})

t.test('two of a kind are two, whatever their remedy', async t => {
  const collector = (found: string) => ({ ...LESS, name: 'collector', area: 'collector', found })
  const lines = screenOf([collector('a is away'), collector('b is away'), collector('c is away')]).split('\n')
  t.same(
    lines.filter(line => line.startsWith('less')),
    ['a', 'b', 'c'].map(name => `less  collector  ${name} is away`),
  )
})

t.test('something wrong in another area is not hidden by what is fine in it', async t => {
  t.match(
    screenOf([
      { ...FINE, area: 'kernel' },
      { ...LESS, area: 'kernel' },
    ]),
    /ok .*\nless {2}docker/,
  )
})
