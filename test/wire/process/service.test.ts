import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Service } from '../../../wire/process/service.ts'
import { handleSignals } from '../../../wire/process/signals.ts'
import { LiveSettings } from '../../../wire/settings/live.ts'
import { setting } from '../../../wire/settings/settings.ts'
import { text } from '../../../wire/settings/types.ts'
import { until } from '../../harness/until.ts'

const settings = { logLevel: setting({ help: 'level', fallback: 'silent', type: text() }) }

t.test('signals to reload in any number: one at a time, and what was read last is in force', async t => {
  handleSignals(true)
  const alive = setInterval(() => {}, 1000) // waiting for a signal is nothing to do
  t.teardown(() => clearInterval(alive))
  const service = await Service.open('test', new LiveSettings(settings, 'test', {}, {}), async () => {
    throw new Error('nobody is to be told')
  })
  let [file, inForce, running, most, reloads] = [0, -1, 0, 0, 0]
  service.onReload('the file', async () => {
    const read = file
    most = Math.max(most, ++running)
    await sleep(reloads++ === 0 ? 50 : 1) // the first is the slowest
    inForce = read
    running--
  })
  service.started({}, 'runs', () => undefined)
  while (file < 50) {
    file++
    const heard = once(process, 'SIGHUP')
    process.kill(process.pid, 'SIGHUP')
    await heard
  }
  await until('the last one', () => running === 0 && inForce === 50)
  t.equal(most, 1)
  t.ok(reloads < 50, `${reloads} for 50 signals`)
})
