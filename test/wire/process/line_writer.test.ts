import t from 'tap'
import { LineWriter } from '../../../wire/process/line_writer.ts'
import { until } from '../../harness/until.ts'

const failure = (code: string) => Object.assign(new Error(code), { code })

/** A place that takes so many bytes, and refuses the rest with this error. */
function place(room: number, code: string) {
  const state = { room, code, text: '' }
  const writer = new LineWriter(bytes => {
    const taken = bytes.subarray(0, Math.min(bytes.length, state.room))
    if (taken.length === 0) throw failure(state.code)
    state.room -= taken.length
    state.text += taken.toString()
    return taken.length
  })
  writer.note = dropped => `(${dropped} dropped)\n`
  return { state, writer }
}

t.test('lines are written in their order, in parts when there is room for parts only', async t => {
  const { state, writer } = place(6, 'EAGAIN')
  writer.write('one\n')
  writer.write('two\n')
  writer.write('three\n')
  t.equal(state.text, 'one\ntw')
  state.room = 100
  await until('the rest', () => state.text === 'one\ntwo\nthree\n')
  t.equal(writer.dropped, 0)
})

t.test('what waits is bounded; what does not fit is counted, and said when there is room', async t => {
  const { state, writer } = place(0, 'EAGAIN')
  const line = `${'x'.repeat(1023)}\n`
  for (let index = 0; index < 300; index++) writer.write(line)
  t.equal(writer.dropped, 44, '256 KB wait')
  state.room = 2 ** 20
  await until('what waited', () => state.text.includes('dropped'))
  t.equal(state.text, `${line.repeat(256)}(44 dropped)\n`)
  writer.write('again\n')
  t.ok(state.text.endsWith('(44 dropped)\nagain\n'), 'it goes on')
})

for (const code of ['ENOSPC', 'EFBIG', 'EIO', 'EPIPE', 'EBADF', 'EDQUOT', 'ECONNRESET'])
  t.test(`${code}: the lines are dropped, and it goes on when there is room`, async t => {
    const { state, writer } = place(0, code)
    writer.write('one\n')
    writer.write('two\n')
    t.equal(writer.dropped, 2)
    state.room = 100
    writer.write('three\n')
    t.equal(state.text, '(2 dropped)\nthree\n')
    t.equal(writer.dropped, 2)
  })

t.test('a disk that is full in the middle of a line: the next one begins anew', async t => {
  const { state, writer } = place(2, 'ENOSPC')
  writer.write('one\n')
  writer.close()
  t.equal(state.text, 'on')
  state.room = 100
  writer.write('two\n')
  t.equal(state.text, 'on\n(1 dropped)\ntwo\n')
})

t.test('the last lines get a moment at the end', async t => {
  let calls = 0
  let text = ''
  const writer = new LineWriter(bytes => {
    if (++calls < 5) throw failure('EAGAIN')
    text += bytes.toString()
    return bytes.length
  })
  writer.write('stopped\n')
  writer.close()
  t.equal(text, 'stopped\n')
})
