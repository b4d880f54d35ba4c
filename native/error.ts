/** An error of the kernel, libbpf or the object file. */
export class BpfError extends Error {
  override readonly name = 'BpfError'
  /** Name of the errno: `EPERM`; libbpf's own are `LIBBPF_ERRNO__FORMAT` and so on. */
  readonly code: string
  readonly errno: number
  /** The failed operation: `open`, `load`, `attach`, `iterate`, `run`, `map_lookup`, ... */
  readonly syscall: string
  /** libbpf's messages, with the verifier's log (its last 256 KB). */
  readonly log?: string

  constructor(message: string, code: string, errno: number, syscall: string, log?: string) {
    super(message)
    this.code = code
    this.errno = errno
    this.syscall = syscall
    if (log !== undefined) this.log = log
  }
}
