/** One change of the set-up: how it is shown, and how it is made. */

export interface Step {
  /** The statement or request, secrets masked. */
  readonly shows: string
  run(): Promise<void>
}

export interface Plan {
  readonly steps: readonly Step[]
  /** What is worth knowing and is not changed. */
  readonly notes: readonly string[]
}

export const MASK = '********'

export const together = (plans: readonly Plan[]): Plan => ({
  steps: plans.flatMap(({ steps }) => steps),
  notes: plans.flatMap(({ notes }) => notes),
})
