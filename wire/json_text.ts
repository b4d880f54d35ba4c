/** JSON.stringify leaves these as they are: DEL and the C1 controls, which some terminals obey. */
const CONTROLS = /[\x7f-\x9f]/g

/** JSON that may be shown on a terminal. Names come from outside. */
export const escaped = (json: string): string =>
  json.replace(CONTROLS, control => `\\u00${control.charCodeAt(0).toString(16)}`)
