/** Text made safe for HTML and SVG. */
export function escapeMarkup(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** A picture's frame: outer size and the room for axes, in pixels. */
export interface Frame {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

export const defaultFrame: Frame = { width: 640, height: 360, left: 64, right: 20, top: 20, bottom: 52 }

/** An element with attributes and markup inside. Attribute values are escaped, the inside is not. */
export function element(
  name: string,
  attributes: { readonly [name: string]: string | number },
  inside: readonly string[] = [],
): string {
  const list = Object.entries(attributes).map(([key, value]) => ` ${key}="${escapeMarkup(String(value))}"`)
  return `<${name}${list.join('')}>${inside.join('')}</${name}>`
}
