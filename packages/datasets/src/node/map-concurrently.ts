/** `Promise.all(items.map(use))` with at most `limit` calls under way. Results in the order of the items. */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  limit: number,
  use: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length)
  const remaining = items.entries()
  const work = async () => {
    for (const [index, item] of remaining) results[index] = await use(item)
  }
  await Promise.all(Array.from({ length: limit }, work))
  return results
}
