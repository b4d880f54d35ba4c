import t from 'tap'
import { needs } from '../harness/skip.ts'
import { killSeries, outage } from './kills.ts'

t.jobs = 2

const skip = needs('root', 'bpf', 'netns', 'gcc', 'ss', 'containerd', 'influxd')

t.test('both are killed fifty times while InfluxDB fails: what is there is what was produced', { skip }, t =>
  killSeries(t, 50),
)

t.test('an outage of sixty windows in which both are killed and started', { skip }, t => outage(t, 60))
