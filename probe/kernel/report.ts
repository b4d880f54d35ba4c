/** The pass at a window's end: the state of every flow that is open, page by page. */

import type { BpfObject } from 'bcc-bindings'
import type { Rows } from '../../wire/layout.ts'
import type { Flows, Pass } from '../signals/flows.ts'
import type { Signal } from '../signals/signal.ts'

/** `enum report_result` in `bpf/report.bpf.h`; on REPORT_AGAIN the addon runs the program again by itself. */
const REPORT_PAGE_FULL = 2

export class Report {
  readonly flows: readonly Flows[]
  readonly #object: BpfObject
  /** By record of flows. */
  readonly #programs = new Map<string, string>()
  readonly #pages = new Map<string, Buffer>()

  constructor(object: BpfObject, signals: readonly Signal[]) {
    this.#object = object
    this.flows = signals.flatMap(({ flows, programs }) => {
      if (!flows) return []
      const { row, update, beside, tellsClose } = flows
      for (const each of [row, update, beside])
        if (each) this.#pages.set(each.record, object.map(each.page).view())
      const program = Object.entries(programs).find(([, runs]) => runs === 'report')
      if (program) this.#programs.set(row.record, program[0])
      const layout = object.layout(row.record)
      return [
        {
          layout,
          ...(update && { update: object.layout(update.record) }),
          ...(beside && { beside: object.layout(beside.record) }),
          ...(tellsClose !== undefined && { tellsClose }),
        },
      ]
    })
  }

  /** Whole rows, valid until the next step. */
  async *run({ layout: flow, update, beside }: Flows, endNs: bigint, pass: Pass): AsyncGenerator<Rows> {
    const program = this.#programs.get(flow.name)
    if (program === undefined) return // another pass writes its rows
    const layout = this.#object.layout('report')
    const at = (name: string) => layout.fields.find(field => field.name === name)!.offset
    const context = Buffer.alloc(layout.size)
    context.writeBigUInt64LE(endNs, at('end_ns'))
    let result: number
    do {
      context.fill(0, at('rows'), at('beside') + 4)
      result = await this.#object.run(program, context)
      yield* this.#page(flow, context.readUInt32LE(at('rows')))
      if (update) yield* this.#page(update, context.readUInt32LE(at('updates')))
      if (beside) yield* this.#page(beside, context.readUInt32LE(at('beside')))
    } while (result === REPORT_PAGE_FULL)
    if (result !== 0) throw new Error(`${program} returned ${result}`)
    pass.closing += context.readUInt32LE(at('closing'))
    pass.missed += context.readUInt32LE(at('missed'))
    pass.guessed += context.readUInt32LE(at('guessed'))
    pass.unused += context.readUInt32LE(at('unused'))
  }

  *#page(layout: Flows['layout'], rows: number): Generator<Rows> {
    if (rows > 0) yield { layout, bytes: this.#pages.get(layout.name)!.subarray(0, rows * layout.size) }
  }
}
