import t from 'tap'
import { splitLogin } from '../../../../collector/sinks/influxdb/url.ts'

t.test("the server's address alone is one, also below a path of a proxy", async t => {
  t.same(splitLogin('http://h:8086/'), { url: 'http://h:8086' })
  t.same(splitLogin('https://h/influx/'), { url: 'https://h/influx' })
  t.same(splitLogin('http://h:8480/insert/0/influx'), { url: 'http://h:8480/insert/0/influx' })
  t.same(splitLogin('http://u:p?#/write@h'), { url: 'http://h', username: 'u', password: 'p?#/write' })
})

t.test('an address that is written whole is refused with the right form', async t => {
  for (const [given, right] of [
    ['http://h:8086/write?db=telegraf', 'http://h:8086'],
    ['http://h:8086/write', 'http://h:8086'],
    ['http://h:8086/write/', 'http://h:8086'],
    ['http://h:8086/?db=x', 'http://h:8086'],
    ['http://h:8086?db=x', 'http://h:8086'],
    ['http://h:8086/api/v2/write?bucket=b', 'http://h:8086'],
    ['http://h:8086/api/v2', 'http://h:8086'],
    ['http://h:8181/api/v3/write_lp?db=x', 'http://h:8181'],
    ['http://h:8086/query', 'http://h:8086'],
    ['http://h:8086/ping', 'http://h:8086'],
    ['http://h:8086#metrics', 'http://h:8086'],
    ['https://h/insert/0/influx/write?db=x', 'https://h/insert/0/influx'],
  ] as const)
    t.throws(() => splitLogin(given), {
      message: `--influx-url: write the server's address alone, ${right}, not `,
    })
})

t.test('no secret is in the refusal', async t => {
  for (const given of [
    'http://h/write?u=a&p=secret',
    'http://a:secret@h/write',
    'http://a:secret@h?p=secret',
  ])
    t.throws(() => splitLogin(given), { message: /^(?!.*secret)/ })
})
