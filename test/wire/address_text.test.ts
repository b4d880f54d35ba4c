import t from 'tap'
import { addressBytes, addressText } from '../../wire/address_text.ts'

const textOf = (bytes: Uint8Array): string => {
  const view = new DataView(bytes.buffer)
  return addressText(
    ...([0, 4, 8, 12].map(at => view.getUint32(at, true)) as [number, number, number, number]),
  )
}

t.test('there and back, as RFC 5952 writes them', async t => {
  for (const [given, text] of [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['2001:DB8::1', '2001:db8::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['fe80::', 'fe80::'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
  ] as const)
    t.equal(textOf(addressBytes(given)!), text, given)
})

t.test('what is no address', async t => {
  for (const text of ['', 'x', '10.0.0', '10.0.0.256', '1::2::3', 'fe80::1%eth0', '::1/128'])
    t.equal(addressBytes(text), undefined, text)
})
