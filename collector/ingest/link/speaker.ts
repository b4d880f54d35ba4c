/** Who sent a message, as far as it is known. */
export interface Speaker {
  /** @returns why it may not speak for this host */
  fault(host: string): string | undefined
}

/** Of an endpoint where it does not matter. */
export const anybody: Speaker = { fault: () => undefined }

/** Of one host alone. */
export const only = (host: string): Speaker => ({
  fault: said => (said === host ? undefined : `${host} speaks for ${said}: a probe speaks for its own host`),
})

/** What became of frames that came in. */
export interface Heard {
  readonly speaker: Speaker
  /** Without what proves who sent them; undefined when there is nothing to read. */
  readonly frames?: readonly Buffer[]
  readonly reply?: Buffer[] | undefined
}
