import t from 'tap'
import { forPeople } from '../../../wire/process/log.ts'

const line = (fields: object) =>
  `${JSON.stringify({ level: 40, time: new Date(2026, 0, 2, 3, 4, 5).getTime(), pid: 1, hostname: 'h', name: 'probe', ...fields })}\n`

t.test('on a terminal a line is time, level and a sentence', async t => {
  t.equal(forPeople(line({ msg: 'no collector answers' })), '03:04:05 warn  probe: no collector answers\n')
  t.equal(forPeople(line({ level: 50, msg: 'a' })), '03:04:05 error probe: a\n')
  t.equal(
    forPeople(line({ msg: 'lost', collector: 'tcp://c:1', suppressed: 3, list: ['a'] })),
    '03:04:05 warn  probe: lost (collector=tcp://c:1 suppressed=3 list=["a"])\n',
  )
})

t.test('what others named commands no terminal', async t => {
  t.equal(
    forPeople(line({ msg: 'a\u001b[2J\nb\u009b', x: '\u202e' })),
    '03:04:05 warn  probe: a·[2J·b· (x=·)\n',
  )
})

t.test('a line without a sentence is one', async t => {
  t.equal(forPeople(line({ a: 1 })), '03:04:05 warn  probe:  (a=1)\n')
})
