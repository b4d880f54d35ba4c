import { join } from 'node:path'
import { BpfError, sendDatagram } from 'bcc-bindings'
import t from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { openDatagrams } from '../harness/datagram_socket.ts'
import { scratch } from '../harness/scratch.ts'

const cleanup = new Cleanup()
t.teardown(() => cleanup.close())
const directory = await scratch(cleanup, 'datagram')
const code = (send: () => void) => {
  try {
    send()
  } catch (error) {
    return error instanceof BpfError && `${error.syscall} ${error.code}`
  }
  return undefined
}

for (const path of [join(directory, 'socket'), `@${directory}`])
  t.test(`what is sent to ${path[0] === '@' ? 'an abstract socket' : 'a path'} arrives whole`, async t => {
    const receiver = await openDatagrams(cleanup, path)
    for (const text of ['READY=1\nSTATUS=öffnet', '', 'x'.repeat(50_000)]) {
      sendDatagram(path, text)
      t.equal(await receiver.line(), text.replaceAll('\n', '␤'))
    }
  })

t.test('a receiver that reads nothing is EAGAIN, none is an error that names it', async t => {
  const path = join(directory, 'full')
  const receiver = await openDatagrams(cleanup, path)
  process.kill(receiver.pid, 'SIGSTOP')
  let refused: unknown
  for (let sent = 0; sent < 10_000 && refused === undefined; sent++)
    refused = code(() => sendDatagram(path, 'x'))
  process.kill(receiver.pid, 'SIGCONT')
  t.equal(refused, 'sendto EAGAIN')
  t.equal(
    code(() => sendDatagram(join(directory, 'none'), 'x')),
    'sendto ENOENT',
  )
  t.equal(
    code(() => sendDatagram('@none of the tests', 'x')),
    'sendto ECONNREFUSED',
  )
  t.equal(
    code(() => sendDatagram('', 'x')),
    'sendto EINVAL',
  )
  t.equal(
    code(() => sendDatagram(`/${'x'.repeat(108)}`, 'x')),
    'sendto ENAMETOOLONG',
  )
})
