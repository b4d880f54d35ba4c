import { z } from 'zod'
import { ranked } from '../../../wire/rendezvous.ts'
import { setting } from '../../../wire/settings/settings.ts'
import { list, oneOfNumbers, text, token, whole, yesNo } from '../../../wire/settings/types.ts'
import { descriptor, optional } from '../descriptor.ts'
import { checkInflux } from './check.ts'
import { splitLogin } from './url.ts'

/** With or without a login; `splitLogin` reads it. */
const url = () =>
  text().superRefine((given, context) => {
    try {
      splitLogin(given)
    } catch (error) {
      // the settings put the flag or variable before the message, and the value after one that begins with `needs`
      const [, message = ''] = /^--influx-url: (needs .*(?=, not )|.*)/s.exec((error as Error).message) ?? []
      context.addIssue({ code: 'custom', message })
    }
  })

export const influxdb = descriptor({
  name: 'influxdb',
  settings: {
    influxUrl: setting<string[]>({
      type: list(url()),
      fallback: [],
      value: '<address>',
      list: /\s*,\s*(?=\w+:\/\/)/, // a password may have a comma
      env: ['INFLUX_URL', 'INFLUX_HOST'],
      help: 'InfluxDB 1.x, 2.x or 3.x, for example http://127.0.0.1:8086; of several, each host has one',
    }),
    influxVersion: optional({
      type: oneOfNumbers(1, 2, 3),
      value: '<1|2|3>',
      help: 'major version of InfluxDB; detected if not given',
    }),
    influxDatabase: optional({
      type: text(),
      value: '<name>',
      env: ['INFLUX_BUCKET', 'INFLUX_DATABASE'],
      help: 'database or bucket; default: the name of the profile',
    }),
    influxOrg: optional({ type: text(), value: '<name>', env: ['INFLUX_ORG'], help: 'organisation (2.x)' }),
    influxRetentionPolicy: optional({ type: text(), value: '<name>', help: 'retention policy (1.x)' }),
    influxCreate: setting({
      type: yesNo(),
      fallback: true,
      help: 'create the database if it is missing (1.x)',
    }),
    influxCa: optional({
      type: text(),
      value: '<file>',
      help: "certificate of the authority that signed InfluxDB's",
    }),
    influxInsecure: setting({ type: yesNo(), fallback: false, help: "do not verify InfluxDB's certificate" }),
    influxGzip: setting({ type: yesNo(), fallback: true, help: 'compress requests with gzip' }),
    influxTimeout: setting({
      type: whole(1, 300),
      fallback: 10,
      value: '<seconds>',
      help: 'timeout of one request',
    }),
    influxUsername: optional({ type: text(), env: ['INFLUX_USERNAME'], secret: true, help: 'login (1.x)' }),
    influxPassword: optional({
      type: z.string({ error: 'needs a text: put what looks like a number in quotes' }),
      env: ['INFLUX_PASSWORD'],
      secret: true,
      help: 'its password',
    }),
    influxToken: optional({ type: token(), env: ['INFLUX_TOKEN'], secret: true, help: 'token (2.x, 3.x)' }),
  },
  wants: { samples: 'profile', distributions: false },
  chosen: 'by name',
  overwrites: true,
  isConfigured: ({ influxUrl }) => influxUrl.length > 0,
  check: checkInflux,

  async open(options, { profile }) {
    if (options.influxUrl.length === 0) throw new Error('the sink influxdb needs --influx-url or INFLUX_URL')
    const { InfluxSink } = await import('./influxdb.ts')
    const database = options.influxDatabase ?? profile
    const place = [database, options.influxOrg, options.influxRetentionPolicy].filter(Boolean)
    const addresses = options.influxUrl.map(url => splitLogin(url).url)
    return options.influxUrl.map((url, at) => {
      const address = addresses[at]!
      const sink = new InfluxSink({
        url,
        version: options.influxVersion,
        database,
        org: options.influxOrg,
        token: options.influxToken,
        username: options.influxUsername,
        password: options.influxPassword,
        retentionPolicy: options.influxRetentionPolicy,
        createDatabase: options.influxCreate,
        ca: options.influxCa,
        insecureSkipVerify: options.influxInsecure,
        timeoutMs: options.influxTimeout * 1000,
        gzip: options.influxGzip,
        linesPerRequest: 5000,
      })
      const isFor = (host: string) => ranked(host, addresses)[0] === address
      return {
        ...{ sink, target: [address, ...place].join(' '), history: sink.history },
        ...(addresses.length > 1 && { isFor }),
      }
    })
  },
})
