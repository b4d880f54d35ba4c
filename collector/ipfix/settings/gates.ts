import { z } from 'zod'

export type FeatureGates = Readonly<Record<string, boolean>>

/** The one that is known. */
export const GATE = 'FlowExporter'
const GATES = `needs gates such as ${GATE}=true`

const WORDS = new Map([
  ['true', true],
  ['false', false],
])

/** `FlowExporter=true,…`, or a mapping of the file. */
export const gates = () =>
  z.unknown().transform((given, context): FeatureGates => {
    const pairs =
      typeof given === 'object' && given !== null && !Array.isArray(given)
        ? Object.entries(given)
        : [given]
            .flat()
            .flatMap(text => String(text).split(','))
            .map(text => text.trim().split('='))
    const found = pairs.map(([name = '', value]) => [name, WORDS.get(String(value))] as const)
    const typo = found.find(([name]) => name !== GATE && name.toLowerCase() === GATE.toLowerCase())
    if (typo) {
      context.addIssue({ code: 'custom', message: `${typo[0]} is written ${GATE}` })
      return z.NEVER
    }
    if (found.every(([name, value]) => /^\w+$/.test(name) && value !== undefined))
      return Object.fromEntries(found) as FeatureGates
    context.addIssue({ code: 'custom', message: GATES })
    return z.NEVER
  })
