/** The keys of a program in a YAML file, each with its line and column. */

import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import { suggestion } from './nearest.ts'
import { type Found, snakeOfKey } from './settings.ts'
import { readText } from './text.ts'

const SECTIONS = ['probe', 'collector']

/** All problems of the file are collected and reported together. */
export class SettingsFile {
  readonly path: string
  readonly problems: string[] = []
  readonly #lines = new LineCounter()
  readonly #entries = new Map<string, Found>()

  /**
   * @param where the flag or variable that names the file
   * @param section the program's own key in the file; the settings may also stand at the top level
   * @param known names of the program's settings
   * @throws {SettingError} when the file cannot be read
   */
  constructor(path: string, where: string, section: string, known: readonly string[]) {
    this.path = path
    const document = parseDocument(readText(path, where), { lineCounter: this.#lines })
    for (const { pos, message } of document.errors)
      this.problems.push(`${this.#at(pos[0])}: ${message.split('\n')[0]}`)
    if (document.errors.length > 0 || document.contents === null) return
    const top = this.#pairs(document.contents, 'the file')
    const sections = top.filter(pair => isSection(pair, section, known))
    if (sections.length === 0 && top.length > 0) this.#take(top, known, 'the file', '', document)
    else {
      for (const pair of top)
        if (!sections.includes(pair)) this.problems.push(this.#unknown(pair, SECTIONS, 'the file'))
      for (const { key, value } of sections)
        if (wordOf(key) === section && value && !(isScalar(value) && value.value === null))
          this.#take(this.#pairs(value, section), known, section, `${section}.`, document)
    }
  }

  get(key: string): Found | undefined {
    return this.#entries.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys()
  }

  #take(
    pairs: readonly Pair<Node, Node | null>[],
    known: readonly string[],
    owner: string,
    prefix: string,
    document: ReturnType<typeof parseDocument>,
  ): void {
    for (const pair of pairs) {
      const written = wordOf(pair.key)
      const word = known.includes(written) ? written : snakeOfKey(written)
      if (this.#entries.has(word))
        this.problems.push(`${this.#at(pair.key.range?.[0] ?? 0)}: ${word} is there twice: leave one out`)
      else if (!known.includes(word)) {
        const meant = prefix === '' && isMap(pair.value) ? SECTIONS : known
        this.problems.push(this.#unknown(pair, meant, owner))
      } else if (pair.value)
        this.#entries.set(word, {
          value: pair.value.toJS(document),
          where: `${this.#at(pair.value.range?.[0] ?? 0)}: ${prefix}${word}`,
          yaml: true,
        })
    }
  }

  #unknown({ key }: Pair<Node, Node | null>, known: readonly string[], owner: string): string {
    const word = wordOf(key)
    return `${this.#at(key.range?.[0] ?? 0)}: ${owner} has no key ${word}: ${suggestion(word, known)}`
  }

  #pairs(node: Node, name: string): readonly Pair<Node, Node | null>[] {
    if (isMap(node)) return (node as unknown as { items: Pair<Node, Node | null>[] }).items
    this.problems.push(`${this.#at(node.range?.[0] ?? 0)}: ${name} must be a mapping`)
    return []
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.path}:${line}:${col}`
  }
}

const wordOf = (key: Node): string => (isScalar(key) ? String(key.value) : key.toString())

/** `collector` is a section and, in the probe's own file, a setting: a section is a mapping, or empty. */
function isSection(
  { key, value }: Pair<Node, Node | null>,
  section: string,
  known: readonly string[],
): boolean {
  const word = wordOf(key)
  if (!SECTIONS.includes(word)) return false
  return word === section || !known.includes(word) || value === null || isMap(value) || isNull(value)
}

const isNull = (value: Node): boolean => isScalar(value) && value.value === null
