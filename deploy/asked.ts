/** `install` or `uninstall`, whichever was asked for; an error is one line. */
export async function obey(install: () => Promise<void>, uninstall: () => Promise<void>): Promise<void> {
  const asked = process.argv[2]
  try {
    await (asked === 'install' ? install() : uninstall())
  } catch (error) {
    console.error(`${asked}: ${(error as Error).message}`)
    process.exitCode = 1
  }
}
