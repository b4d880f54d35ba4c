/** YAML of people and programs, without what takes more time than reading it: nothing else runs meanwhile. */

import { type Document, isScalar, LineCounter, parseAllDocuments, type Range, visit } from 'yaml'

/** Of all anchors together: kubectl writes none, people a few. */
const MAX_ALIASES = 1000

/** No object has so many; the parser takes 9 s for a megabyte of them. */
const BRACKETS = /(?:[[\]{}]\s{0,100}){200}/

/**
 * The values of its documents.
 * @throws what is wrong, in which document, line and column
 */
export function documentsIn(source: string): { readonly value: unknown; readonly where: string }[] {
  if (BRACKETS.test(source)) throw new Error('it has more than 200 brackets in a row')
  const lines = new LineCounter()
  // its own search for keys that are there twice compares each with each: 20,000 take 5.5 s, and it grows with the square
  const options = { uniqueKeys: false, lineCounter: lines, logLevel: 'error' } as const
  const documents = parseAllDocuments(source, options) as Document.Parsed[]
  return documents.map((document, at) => {
    const where = documents.length > 1 ? `document ${at + 1}` : 'the document'
    const [fault] = document.errors
    const [said] = fault?.message.split('\n', 1) ?? [faultOf(document, lines)]
    if (said !== undefined) throw new Error(`${where}: ${said}`)
    return { value: document.toJS(), where }
  })
}

/** What makes no sense in an object of Kubernetes, and could take hours: keys that are no text, keys twice, aliases of aliases. */
function faultOf(document: Document.Parsed, lines: LineCounter): string | undefined {
  let fault: string | undefined
  let aliases = 0
  const found = (says: string, range: Range | null | undefined) => {
    const { line, col } = lines.linePos(range?.[0] ?? 0)
    fault = `${says} at line ${line}, column ${col}`
    return visit.BREAK
  }
  visit(document, {
    Alias: (_, { range }) =>
      ++aliases > MAX_ALIASES ? found(`More than ${MAX_ALIASES} aliases`, range) : undefined,
    Map: (_, { items }) => {
      const keys = new Set<unknown>()
      for (const { key } of items) {
        if (!isScalar(key))
          return found('A key is no text (a template that was not filled in?)', rangeOf(key))
        if (keys.has(key.value)) return found(`The key ${key.value} is there twice`, key.range)
        keys.add(key.value)
      }
      return undefined
    },
  })
  return fault
}

const rangeOf = (node: unknown): Range | undefined => (node as { range?: Range } | null)?.range
