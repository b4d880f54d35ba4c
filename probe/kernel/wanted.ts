/** The signals that run: those that the options enable, without those that this kernel or its configuration refuses. */

import { SIGNALS } from '../signals/index.ts'
import type { KernelOptions, Signal } from '../signals/signal.ts'

export class Wanted {
  readonly options: KernelOptions
  /** The refused signals, and why; the others run. */
  readonly unavailable = new Map<Signal, string>()

  constructor(options: KernelOptions) {
    this.options = options
  }

  has(signal: Signal): boolean {
    const { name, wanted, needs, needsOneOf, insteadOf } = signal
    if (this.unavailable.has(signal) || this.options.without?.includes(name)) return false
    if (needsOneOf && !needsOneOf.some(other => this.has(other))) return false
    if ((needs && !this.has(needs)) || (insteadOf && this.has(insteadOf))) return false
    return wanted?.(this.options) ?? true
  }

  get signals(): readonly Signal[] {
    return SIGNALS.filter(signal => this.has(signal))
  }

  /** @returns false when the probe cannot run without the signal */
  refuse(signal: Signal, why: string): boolean {
    if (signal.fallback === undefined || this.unavailable.has(signal)) return false
    this.unavailable.set(signal, why)
    return true
  }
}
