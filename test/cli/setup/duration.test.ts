import t from 'tap'
import {
  durationText,
  inWords,
  keep,
  keepOrOff,
  late,
  secondsOf,
  shownSeconds,
} from '../../../cli/setup/duration.ts'
import { moment, momentOf } from '../../../cli/setup/moment.ts'

t.test('times as people write them', async t => {
  const seconds = { '90m': 5400, '1h': 3600, '30d': 2_592_000, '2w': 1_209_600, '2y': 63_072_000 }
  for (const [text, value] of Object.entries(seconds)) {
    t.equal(secondsOf(text), value)
    t.ok(keep().safeParse(text).success, text)
  }
  for (const text of ['infinite', '0']) t.equal(secondsOf(text), Number.POSITIVE_INFINITY)
  for (const text of [
    '59m',
    '101y',
    '1',
    '-1d',
    '1.5d',
    '1d12h',
    '30 d',
    '30D',
    'off',
    '',
    '9999999999d',
    'INF',
  ]) {
    t.notOk(keep().safeParse(text).success, text)
    t.equal(keepOrOff().safeParse(text).success, text === 'off', text)
  }
  for (const [text, is] of [
    ['5m', true],
    ['30d', true],
    ['31d', false],
    ['0', false],
    ['infinite', false],
  ] as const)
    t.equal(late().safeParse(text).success, is, text)
})

t.test('times as InfluxDB prints and shows them', async t => {
  t.same([60, 9060, 14_400, 86_400, 2_592_000, 604_800, 1, Number.POSITIVE_INFINITY].map(durationText), [
    '1m',
    '151m',
    '4h',
    '1d',
    '30d',
    '1w',
    '1s',
    'INF',
  ])
  t.same(['720h0m0s', '0s', '1h30m0s', '90s', 'x', '', '1.5h'].map(shownSeconds), [
    2_592_000,
    Number.POSITIVE_INFINITY,
    5400,
    90,
    undefined,
    undefined,
    undefined,
  ])
  t.equal(inWords(Number.POSITIVE_INFINITY), 'for ever')
})

t.test('moments', async t => {
  const now = Date.parse('2026-03-01T00:00:00Z') / 1000
  const at = (text: string) => Date.parse(text) / 1000
  t.equal(momentOf('1d', now), at('2026-02-28'))
  t.equal(momentOf('2026-01-31', now), at('2026-01-31T00:00:00Z'))
  t.equal(momentOf('2026-01-31T08:30Z', now), at('2026-01-31T08:30:00Z'))
  t.equal(momentOf('2026-01-31T08:30:15+02:00', now), at('2026-01-31T06:30:15Z'))
  for (const text of ['yesterday', '2026-13-01', '2026-01-31T08:30', '2026', 'infinite', '0', '-1d', '12'])
    t.notOk(moment().safeParse(text).success, text)
})
