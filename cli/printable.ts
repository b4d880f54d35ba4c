/**
 * Text for a terminal. Names of containers, hosts and processes come from outside and may hold terminal commands, so
 * control characters are shown as dots.
 */
export const printable = (text: string): string => text.replace(/\p{C}/gu, '·')
