/** `node spool_writer.ts DIRECTORY`: appends window after window, says which are on disk, until it is killed. */

import { openSpool } from '../../wire/spool/spool.ts'
import { windowItem } from '../wire/spool/given.ts'

const directory = process.argv[2]!
let number = 0
const spool = await openSpool({
  ...{ directory, maxBytes: 2 ** 26, maxAgeMs: 3_600_000 },
  found: ({ head }) => {
    number = (head as { number: number }).number
  },
})
for (;;) {
  await spool.append([windowItem(++number, 20_000)])
  process.stdout.write(`${number}\n`)
}
