import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Guardian } from '../../cli/guardian.ts'

const guardian = new URL('../../cli/guardian.ts', import.meta.url).href

t.test('what it guards runs on while its owner runs, and after it is closed', async t => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  const guard = new Guardian(2)
  guard.watch(child.pid!)
  await sleep(1500)
  t.equal(child.signalCode, null, 'longer than its patience')
  guard.close()
  await sleep(600)
  t.equal(child.signalCode, null)
})

t.test('an owner that is killed takes with it what hangs', async t => {
  const program = `
    const { spawn } = await import('node:child_process')
    const { Guardian } = await import('${guardian}')
    const child = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
    new Guardian(2).watch(child.pid)
    console.log(child.pid)
    setInterval(() => {}, 1000)`
  const owner = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [text] = (await once(owner.stdout, 'data')) as [Buffer]
  const pid = Number(text.toString())
  await sleep(600)
  process.kill(pid, 0)
  owner.kill('SIGKILL')
  for (let tries = 0; tries < 50; tries++) {
    await sleep(100)
    try {
      process.kill(pid, 0)
    } catch {
      return t.pass('it is gone')
    }
  }
  process.kill(pid, 'SIGKILL')
  return t.fail('it is still there')
})
