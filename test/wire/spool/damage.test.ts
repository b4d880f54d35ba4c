import { readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { cp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { directory, filesIn, numberOf, opened, readAll, windowItem } from './given.ts'

const COUNT = 4
const NUMBERS = Array.from({ length: COUNT }, (_, index) => index + 1)

interface Given {
  readonly path: string
  readonly segment: string
  readonly content: Buffer
  /** Where each record begins, and the end. */
  readonly bounds: readonly number[]
}

/** A spool that another run has left: some windows in one segment. */
async function given(t: Test): Promise<Given> {
  const path = await directory(t)
  const bounds: number[] = [0]
  const { spool } = await opened(path)
  for (const number of NUMBERS) {
    await spool.append([windowItem(number, 10 + number)])
    bounds.push(spool.stats.bytes)
  }
  await spool.close()
  const [segment = ''] = filesIn(path, '.seg')
  return { path, segment, content: readFileSync(segment), bounds }
}

/** What a start finds after something was done to the file. */
async function after({ path, segment }: Given, damage: (segment: string) => void) {
  const copy = `${path}-copy`
  await cp(path, copy, { recursive: true })
  damage(join(copy, segment.slice(path.length)))
  const { spool } = await opened(copy)
  const records = await readAll(spool)
  const found = records.map(numberOf)
  const right = records.every(({ frames }, index) => {
    const expected = windowItem(found[index]!, 10 + found[index]!).frames
    return frames.length === expected.length && frames.every((frame, at) => frame.equals(expected[at]!))
  })
  const { damaged } = spool.losses
  const { failures } = spool.stats
  await spool.append([windowItem(COUNT + 1)])
  await spool.close()
  await rm(copy, { recursive: true })
  return { found, right, damaged, failures }
}

t.test('cut at any byte of its last record: that window is gone, the others are whole', async t => {
  const stage = await given(t)
  const start = stage.bounds[COUNT - 1]!
  const wrong: unknown[] = []
  for (let end = start + 1; end < stage.content.length; end++) {
    const { found, right, damaged } = await after(stage, file => truncateSync(file, end))
    const isRight = right && found.join() === NUMBERS.slice(0, -1).join() && damaged.windows === 1
    if (!isRight) wrong.push({ end, found, damaged })
  }
  t.same(wrong, [])
  const cut = await after(stage, file => truncateSync(file, stage.content.length - 1))
  t.same(cut.damaged, { records: 1, windows: 1, rows: 10 * COUNT }, 'its header says what is lost')
  const none = await after(stage, file => truncateSync(file, start))
  t.match(none, { found: NUMBERS.slice(0, -1), damaged: { records: 0 } })
})

t.test('any byte of it flipped: the record with it is lost and counted, the others are read', async t => {
  const stage = await given(t)
  const { content, bounds } = stage
  const wrong: unknown[] = []
  for (let at = 0; at < content.length; at++) {
    const number = bounds.findLastIndex(bound => bound <= at) + 1
    const { found, right, damaged } = await after(stage, file => {
      const flipped = Buffer.from(content)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(file, flipped)
    })
    const expected = NUMBERS.filter(other => other !== number)
    const isCounted = damaged.records === 1 && damaged.windows === 1
    // of the last one nobody else knows how many rows it had
    const isKnown = damaged.rows === 10 * number || number === COUNT
    if (!right || found.join() !== expected.join() || !isCounted || !isKnown)
      wrong.push({ at, number, found, damaged })
  }
  t.same(wrong, [])
})

t.test('scrambled anyhow: what is read is right, what is not is counted, and it starts', async t => {
  const stage = await given(t)
  const { content } = stage
  const scrambles = fc.record({
    at: fc.nat(content.length - 1),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 600 }),
    zero: fc.boolean(),
    end: fc.option(fc.integer({ min: 1, max: content.length + 300 })),
  })
  const result = await fc.check(
    fc.asyncProperty(scrambles, async ({ at, bytes, zero, end }) => {
      const { found, right, damaged, failures } = await after(stage, file => {
        const scrambled = Buffer.from(content)
        if (zero) scrambled.fill(0, at, Math.min(at + bytes.length, content.length))
        else Buffer.from(bytes).copy(scrambled, at)
        writeFileSync(file, scrambled)
        if (end !== null) truncateSync(file, end)
      })
      const isOrdered = found.every((number, index) => index === 0 || number > found[index - 1]!)
      const all = found.length + damaged.records
      const isCounted = found.includes(COUNT) ? damaged.records >= COUNT - found.length : all <= COUNT
      return right && isOrdered && isCounted && damaged.windows === damaged.records && failures === 0
    }),
    { numRuns: 200 },
  )
  t.notOk(result.failed, fc.defaultReportMessage(result) ?? '200 of them')
})

t.test('a segment that is not there any more is counted by those around it', async t => {
  const path = await directory(t)
  const { spool } = await opened(path, { maxBytes: 32_000 })
  for (const number of NUMBERS) await spool.append([windowItem(number, 1500)])
  await spool.close()
  const segments = filesIn(path, '.seg')
  t.equal(segments.length, COUNT, 'each window has its own')
  for (const gone of [0, 2]) await rm(segments[gone]!)
  const next = await opened(path)
  t.same(next.found.map(numberOf), [2, 4])
  t.same(next.spool.losses.damaged, { records: 2, windows: 2, rows: 10 + 30 })
  await rm(filesIn(path, '.seg')[0]!)
  t.same((await readAll(next.spool)).map(numberOf), [4], 'and when it goes while we run')
  t.same(next.spool.losses.damaged, { records: 3, windows: 3, rows: 10 + 30 + 20 })
  await next.spool.close()
})

t.test('a lost mark sends again, and never less', async t => {
  const path = await directory(t)
  const { spool } = await opened(path)
  const serials = await spool.append(NUMBERS.map(number => windowItem(number)))
  spool.release(serials.slice(0, 2))
  await spool.append([windowItem(COUNT + 1)])
  spool.release(serials.slice(2, 3))
  await spool.close()
  const [mark = ''] = filesIn(path, 'released')
  for (const content of [Buffer.alloc(0), Buffer.alloc(64, 7), Buffer.alloc(64)]) {
    const copy = `${path}-copy`
    await cp(path, copy, { recursive: true })
    writeFileSync(join(copy, mark.slice(path.length)), content)
    const next = await opened(copy)
    t.same(next.found.map(numberOf), [3, 4, 5], 'what was released before a record was written stays so')
    await next.spool.close()
    await rm(copy, { recursive: true })
  }
})
