/** Which runs of which host are known. */

export class RunsOfHosts {
  readonly #runs = new Map<string, Set<string>>()

  add(host: string, run: string): void {
    this.#runs.set(host, (this.#runs.get(host) ?? new Set()).add(run))
  }

  delete(host: string, run: string): void {
    const runs = this.#runs.get(host)
    runs?.delete(run)
    if (runs?.size === 0) this.#runs.delete(host)
  }

  of(host: string): readonly string[] {
    return [...(this.#runs.get(host) ?? [])]
  }
}
