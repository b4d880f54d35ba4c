/** Keys as other programs' files have them: where a setting stands there, and what changes nothing here. */

import { type Settings, snake } from '../settings.ts'

export class OtherKeys {
  /** Name of the setting, as in our own file, by the place there: `flowCollector.address`. */
  readonly #settings = new Map<string, string>()
  /** A sentence, by the place. */
  readonly #idle = new Map<string, string>()

  constructor(settings: Settings) {
    for (const [name, { keys = [], idle = {} }] of Object.entries(settings)) {
      for (const place of keys) this.#settings.set(place, snake(name))
      for (const [place, text] of Object.entries(idle)) this.#idle.set(place, text)
    }
  }

  settingAt(place: string): string | undefined {
    return this.#settings.get(place)
  }

  /** Why it changes nothing here, and what does it instead. */
  idleAt(place: string): string | undefined {
    return this.#idle.get(place)
  }

  /** Keys of the mapping at this place; none: it is no mapping that is known. */
  below(place: string): string[] {
    const depth = place.split('.').length
    const all = [...this.#settings.keys(), ...this.#idle.keys()].filter(one => one.startsWith(`${place}.`))
    return [...new Set(all.map(one => one.split('.')[depth]!))]
  }
}
