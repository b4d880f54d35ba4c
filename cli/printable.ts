/**
 * For a terminal. Anybody may name a container, a host or a process, also with what a terminal takes for a command:
 * control characters are shown as dots.
 */
export const printable = (text: string): string => text.replace(/\p{C}/gu, '·')
