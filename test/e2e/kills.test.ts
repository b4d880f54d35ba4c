import t from 'tap'
import { needs } from '../harness/skip.ts'
import { killSeries, outage } from './kills.ts'

// they wait more than they work
t.jobs = 2

const skip = needs('root', 'bpf', 'netns', 'gcc', 'ss', 'containerd', 'influxd')

t.test('both are killed ten times while InfluxDB fails: what is there is what was produced', { skip }, t =>
  killSeries(t, 10),
)

t.test('an outage in which both are killed and started: no gap but the windows in the making', { skip }, t =>
  outage(t, 15),
)
