import { readFile, writeFile } from 'node:fs/promises'

const readme = new URL('../../README.md', import.meta.url)

/** Replaces what stands between `<!-- name -->` and `<!-- /name -->` in the README. @throws Error where the marks are missing */
export async function writeReadmeTable(name: string, table: string): Promise<void> {
  const text = await readFile(readme, 'utf8')
  const marked = new RegExp(`(<!-- ${name} -->\n)[\\s\\S]*?(<!-- /${name} -->)`)
  if (!marked.test(text))
    throw new Error(`README.md has no <!-- ${name} --> … <!-- /${name} --> marks to write between.`)
  await writeFile(readme, text.replace(marked, `$1\n${table}\n\n$2`))
}
