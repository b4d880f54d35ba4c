import t from 'tap'
import { collectorSettings } from '../../../collector/options.ts'
import { probeSettings } from '../../../probe/options.ts'
import { unknownVariables } from '../../../wire/settings/variables.ts'

const unknown = (...names: string[]) =>
  unknownVariables(Object.fromEntries(names.map(name => [name, 'x'])), [probeSettings, collectorSettings])

t.test('a mistyped variable gets the nearest name as a suggestion', async t => {
  const cases = [
    ['SOCKFLUX_INTERVALL', 'SOCKFLUX_INTERVAL'],
    ['SOCKFLUX_COLECTOR', 'SOCKFLUX_COLLECTOR'],
    ['SOCKFLUX_LOGLEVEL', 'SOCKFLUX_LOG_LEVEL'],
    ['sockflux_store', 'SOCKFLUX_STORE'],
    ['SOCKFLUX_INFLUX_TOKEN_FIL', 'SOCKFLUX_INFLUX_TOKEN_FILE'],
    ['SOCKFLUX_HOST_FILE', 'SOCKFLUX_HOST'],
    ['SOCKFLUX_STORE_DIRECTORY', 'SOCKFLUX_STORE'],
    ['sockflux_interval_seconds', 'SOCKFLUX_INTERVAL'],
    ['SOCKFLUX_INFLUX_TOKEN_FILE_PATH', 'SOCKFLUX_INFLUX_TOKEN_FILE'],
  ]
  for (const [name, near] of cases)
    t.same(unknown(name!), [`${name} is not a setting and has no effect: did you mean ${near}?`])
  t.same(unknown('SOCKFLUX_SOMETHING_VERY_DIFFERENT_INDEED'), [
    'SOCKFLUX_SOMETHING_VERY_DIFFERENT_INDEED is not a setting and has no effect: sockflux probe --help and sockflux collector --help list them',
  ])
})

t.test('what either program reads is known, and what Kubernetes sets for a Service', async t => {
  t.same(
    unknown('SOCKFLUX_INTERVAL', 'SOCKFLUX_STORE', 'SOCKFLUX_CONFIG', 'SOCKFLUX_INFLUX_PASSWORD_FILE'),
    [],
  )
  t.same(unknown('INFLUX_TOKEN', 'NODE_NAME', 'PATH'), [])
  t.same(
    unknown(
      'SOCKFLUX_SERVICE_HOST',
      'SOCKFLUX_PORT',
      'SOCKFLUX_COLLECTOR_SERVICE_PORT_PROBES',
      'SOCKFLUX_COLLECTOR_PORT_5556_TCP_ADDR',
    ),
    [],
  )
})
