/** The keys of a program in a YAML file, each with its line and column. */

import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml'
import { suggestion } from '../nearest.ts'
import { type Found, type Settings, snake, snakeOfKey } from '../settings.ts'
import { readText } from '../text.ts'
import { OtherKeys } from './other_keys.ts'

const SECTIONS = ['probe', 'collector']

type Entry = Pair<Node, Node | null>

/** All problems of the file are collected and reported together. */
export class SettingsFile {
  readonly path: string
  readonly problems: string[] = []
  readonly #lines = new LineCounter()
  readonly #entries = new Map<string, Found>()
  readonly #known: readonly string[]
  readonly #others: OtherKeys
  /** Keys of other programs that change nothing, by the sentence that says so; the first has its place. */
  readonly #idle = new Map<string, string[]>()
  readonly #document: Document

  /**
   * @param where the flag or variable that names the file
   * @param section the program's own key in the file; the settings may also stand at the top level
   * @throws {SettingError} when the file cannot be read
   */
  constructor(path: string, where: string, section: string, settings: Settings) {
    this.path = path
    this.#known = keysOf(settings)
    this.#others = new OtherKeys(settings)
    const document = parseDocument(readText(path, where), { lineCounter: this.#lines })
    this.#document = document
    for (const { pos, message } of document.errors)
      this.problems.push(`${this.#at(pos[0])}: ${message.split('\n')[0]}`)
    if (document.errors.length > 0 || document.contents === null) return
    const top = this.#pairs(document.contents, 'the file')
    const sections = top.filter(pair => isSection(pair, section, this.#known))
    if (sections.length === 0 && top.length > 0) this.#take(top, 'the file', '')
    else {
      for (const pair of top)
        if (!sections.includes(pair)) this.problems.push(this.#unknown(pair, SECTIONS, 'the file'))
      for (const { key, value } of sections)
        if (wordOf(key) === section && value && !(isScalar(value) && value.value === null))
          this.#take(this.#pairs(value, section), section, `${section}.`)
    }
  }

  get(key: string): Found | undefined {
    return this.#entries.get(key)
  }

  keys(): IterableIterator<string> {
    return this.#entries.keys()
  }

  /** A sentence for all keys of other programs' files that change nothing for the same reason. */
  idle(): string[] {
    return [...this.#idle].map(([text, keys]) => `${keys.join(', ')}: ${text}`)
  }

  #take(pairs: readonly Entry[], owner: string, prefix: string): void {
    for (const pair of pairs) {
      const written = wordOf(pair.key)
      const word = this.#known.includes(written) ? written : snakeOfKey(written)
      if (this.#takeOther(pair, prefix, written)) continue
      if (this.#known.includes(word)) this.#set(word, pair, `${prefix}${word}`)
      else {
        const meant = prefix === '' && isMap(pair.value) ? SECTIONS : this.#known
        this.problems.push(this.#unknown(pair, meant, owner))
      }
    }
  }

  /** @param place of the key in another program's file @returns false: it is none of those */
  #takeOther({ key, value }: Entry, prefix: string, place: string): boolean {
    const name = this.#others.settingAt(place)
    const idle = this.#others.idleAt(place)
    const below = this.#others.below(place)
    if (name === undefined && idle === undefined && below.length === 0) return false
    if (isEmpty(value) || (idle !== undefined && isOff(value))) return true
    if (name !== undefined) this.#set(name, { key, value } as Entry, `${prefix}${place}`)
    else if (idle !== undefined) {
      const keys = this.#idle.get(idle)
      if (keys) keys.push(place)
      else this.#idle.set(idle, [`${this.#at(key.range?.[0] ?? 0)}: ${prefix}${place}`])
    } else
      for (const pair of this.#pairs(value!, place))
        if (!this.#takeOther(pair, prefix, `${place}.${wordOf(pair.key)}`))
          this.problems.push(this.#unknown(pair, below, place))
    return true
  }

  #set(name: string, { key, value }: Entry, called: string): void {
    if (this.#entries.has(name))
      this.problems.push(`${this.#at(key.range?.[0] ?? 0)}: ${name} is there twice: leave one out`)
    else if (value)
      this.#entries.set(name, {
        value: value.toJS(this.#document),
        where: `${this.#at(value.range?.[0] ?? 0)}: ${called}`,
        yaml: true,
      })
  }

  #unknown({ key }: Entry, known: readonly string[], owner: string): string {
    const word = wordOf(key)
    return `${this.#at(key.range?.[0] ?? 0)}: ${owner} has no key ${word}: ${suggestion(word, known)}`
  }

  #pairs(node: Node, name: string): readonly Entry[] {
    if (isMap(node)) return (node as unknown as { items: Entry[] }).items
    this.problems.push(`${this.#at(node.range?.[0] ?? 0)}: ${name} must be a mapping`)
    return []
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.path}:${line}:${col}`
  }
}

const keysOf = (settings: Settings): string[] =>
  [...Object.keys(settings), ...Object.values(settings).flatMap(({ former }) => former ?? [])].map(snake)

const wordOf = (key: Node): string => (isScalar(key) ? String(key.value) : key.toString())

/** `collector` is a section and, in the probe's own file, a setting: a section is a mapping, or empty. */
function isSection({ key, value }: Entry, section: string, known: readonly string[]): boolean {
  const word = wordOf(key)
  if (!SECTIONS.includes(word)) return false
  return word === section || !known.includes(word) || value === null || isMap(value) || isNull(value)
}

const isNull = (value: Node): boolean => isScalar(value) && value.value === null

/** Files that a template made have keys without a value. */
const isEmpty = (value: Node | null): boolean =>
  value === null ||
  isNull(value) ||
  (isScalar(value) && value.value === '') ||
  ((isMap(value) || isSeq(value)) && value.items.length === 0)

/** What is off changes nothing anywhere. */
const isOff = (value: Node | null): boolean => isMap(value) && value.get('enable') === false
