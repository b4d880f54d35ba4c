import t from 'tap'
import { node, pod, service, slice } from '../../../harness/kubernetes/objects.ts'
import { BOOT, held } from '../../flows/given.ts'

const PORT = [{ name: 'p', port: 80 }]

t.test('whether pods answer for a Service, by its slices as they are now', async t => {
  const facts = held(
    node('node-a', '192.168.0.1', { podCIDR: '10.10.0.0/24' }),
    pod({ name: 'web-0', ip: '10.20.0.7' }),
    service('web', '10.96.0.1', PORT),
  )
  const answered = (name = 'web') => facts.answeredByPods('default', name)
  const set = (name: string, of: string, ips: string[]) =>
    facts.set('EndpointSlice', slice(name, of, ips, PORT), BOOT)
  t.equal(answered(), true, 'nobody says who does')
  set('web-1', 'web', ['203.0.113.5'])
  t.equal(answered(), false, 'somebody outside')
  set('web-2', 'web', ['203.0.113.6', '10.20.0.7'])
  t.equal(answered(), true, 'the address of a pod, in one of its slices')
  set('web-2', 'web', ['192.168.0.1'])
  t.equal(answered(), false, 'a node')
  set('web-2', 'web', ['10.10.0.99'])
  t.equal(answered(), true, 'an address that only pods have')
  set('web-2', 'shop', ['10.10.0.99'])
  t.same([answered(), answered('shop')], [false, true], 'a slice that is of another Service now')
  facts.remove('EndpointSlice', slice('web-1', 'web', [], PORT), BOOT)
  t.equal(answered(), true, 'nobody says who does, again')
  t.equal(facts.answeredByPods('other', 'web'), true, 'of another namespace')
})
