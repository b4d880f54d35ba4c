/** Elements of SVG. */

export const [TEXT, FAINT, GRID, PANEL, PAGE] = ['#d8d9da', '#8e8e8e', '#2c3235', '#181b1f', '#0b0c0e']
export const COLORS = [
  ...['#7eb26d', '#eab839', '#6ed0e0', '#ef843c', '#e24d42', '#1f78c1', '#ba43a9', '#705da0'],
  ...['#b7dbab', '#f4d598'],
]

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export const text = (x: number, y: number, what: string, more = ''): string =>
  `<text x="${Math.round(x)}" y="${Math.round(y)}"${more && ` ${more}`}>${escaped(what)}</text>\n`

export const rect = (x: number, y: number, width: number, height: number, fill: string, more = ''): string =>
  `<rect x="${Math.round(x)}" y="${Math.round(y)}" width="${Math.round(width)}" height="${Math.round(height)}" fill="${fill}"${more && ` ${more}`}/>\n`

/** Of a fixed number of characters, as the font has some 6 pixels for each. */
export const cut = (what: string, pixels: number): string => {
  const most = Math.floor(pixels / 6)
  return what.length <= most ? what : `${what.slice(0, Math.max(0, most - 1))}…`
}

export const page = (width: number, height: number, title: string, body: string): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="DejaVu Sans Mono, monospace" font-size="10" fill="${TEXT}">
<title>${escaped(title)}</title>
${rect(0, 0, width, height, PAGE)}${body}</svg>
`
