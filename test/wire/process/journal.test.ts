import { closeSync, fstatSync, openSync } from 'node:fs'
import t from 'tap'
import { isJournal, priorityOf } from '../../../wire/process/journal.ts'
import { forJournal } from '../../../wire/process/log.ts'

t.test('only the stream that systemd has named is the journal', async t => {
  const fd = openSync('/dev/null', 'w')
  t.teardown(() => closeSync(fd))
  const { dev, ino } = fstatSync(fd, { bigint: true })
  t.equal(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, fd), true)
  t.equal(isJournal({ JOURNAL_STREAM: `${dev}:${ino + 1n}` }, fd), false, 'redirected since')
  t.equal(isJournal({}, fd), false)
  t.equal(isJournal({ JOURNAL_STREAM: `${dev}:${ino}` }, 999), false, 'closed')
})

t.test('levels are priorities of syslog', async t => {
  const levels = { 10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2 }
  for (const [level, priority] of Object.entries(levels)) t.equal(priorityOf(Number(level)), `<${priority}>`)
})

t.test('a line has its priority and no time', async t => {
  const line = {
    level: 40,
    time: 0,
    pid: 1,
    hostname: 'h',
    name: 'probe',
    msg: 'lost\n<0>',
    collector: 'tcp://c:1',
  }
  t.equal(forJournal(JSON.stringify(line)), '<4>probe: lost·<0> (collector=tcp://c:1)\n', 'and is one')
})
