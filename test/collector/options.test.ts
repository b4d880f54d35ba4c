import t from 'tap'
import { collectorSettings } from '../../collector/options.ts'
import { readSettings } from '../../probe/settings.ts'

const prometheus = (given: unknown) =>
  readSettings(collectorSettings, 'collector', { prometheus: given }, {}).prometheus

t.test(
  'where Prometheus is answered: nowhere, unless it is said; a port alone is for this machine',
  async t => {
    t.equal(prometheus(undefined), undefined)
    t.same(prometheus('9469'), { host: '127.0.0.1', port: 9469 })
    t.same(prometheus(9469), { host: '127.0.0.1', port: 9469 }, 'as YAML gives it')
    t.same(prometheus('127.0.0.1:0'), { host: '127.0.0.1', port: 0 })
    t.same(prometheus('[::1]:9469'), { host: '::1', port: 9469 })
    t.same(prometheus('node-1.example:9469'), { host: 'node-1.example', port: 9469 })
    for (const wrong of [
      '',
      ':9469',
      '127.0.0.1',
      '127.0.0.1:',
      '::1:9469',
      '[::1]',
      '127.0.0.1:65536',
      'a b:1',
    ])
      t.throws(() => prometheus(wrong), /--prometheus: needs an address and a port/, wrong)
  },
)
